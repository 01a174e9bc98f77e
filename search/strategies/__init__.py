"""Samplers, which propose candidates, and pruners, which stop trials early."""
