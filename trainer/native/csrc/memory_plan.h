// The order of work on a batch, and where its maps lie in memory.
//
// A phase is work that can be done block by block until a sum over the whole batch is needed. Three
// standard techniques keep the maps of a step small enough for the processor's cache:
// - Local values: what only its own phase reads is stored for the block at work, not for the batch.
// - Recomputation: such values, if they are cheap, are computed again in backward.
// - Liveness allocation: gradients whose live ranges do not overlap share memory.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "buffers.h"
#include "operations/operation.h"

namespace flyweight {

// An operation, with the numbers of the maps that it reads and of the one that it writes.
struct Node {
    std::unique_ptr<Operation> operation;
    std::vector<int> sources;
    int target;
};

struct Phase {
    // Forward operations that a backward phase repeats first.
    std::vector<Operation*> recomputed;
    std::vector<Operation*> operations;
    // The operation that sums over the batch at the end of the phase, if any.
    Operation* reduced = nullptr;
};

class MemoryPlan {
public:
    MemoryPlan(std::vector<std::unique_ptr<Map>>& maps, const std::vector<Node>& nodes)
        : maps_(maps), nodes_(nodes), forward(1), backward(1) {
        for (const Node& node : nodes_) {
            if (node.operation->needs_batch_sums()) {
                forward.back().reduced = node.operation.get();
                forward.emplace_back();
            }
            forward.back().operations.push_back(node.operation.get());
            phase_.push_back(static_cast<int>(forward.size()) - 1);
        }
        for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
            if (node->operation->needs_batch_sums()) {
                backward.back().reduced = node->operation.get();
                backward.emplace_back();
            }
            backward.back().operations.push_back(node->operation.get());
        }
        find_local_values();
        group_gradients();
    }

    // Gives every map its storage.
    void allocate(int blocks, int threads) {
        for (auto& map : maps_)
            map->values.buffer = std::make_shared<Buffer>(
                (map->values.local ? threads : std::max(blocks, threads)) * map->block());
        allocate_gradients(blocks, threads);
    }

private:
    int last_phase() const { return static_cast<int>(forward.size()) - 1; }

    // The backward phase in which an operation passes the gradient on to what it read.
    int backward_phase(size_t node) const {
        return last_phase() - phase_[node] + (nodes_[node].operation->needs_batch_sums() ? 1 : 0);
    }

    bool reads(size_t node, int map) const {
        const auto& sources = nodes_[node].sources;
        return std::find(sources.begin(), sources.end(), map) != sources.end();
    }

    int readers(int map) const {
        int count = 0;
        for (size_t node = 0; node < nodes_.size(); ++node) count += reads(node, map);
        return count;
    }

    void find_local_values() {
        for (size_t writer = 0; writer < nodes_.size(); ++writer) {
            const int map = nodes_[writer].target;
            bool local =
                nodes_[writer].operation->is_cheap() && map != static_cast<int>(maps_.size()) - 1;
            for (size_t node = 0; node < nodes_.size(); ++node)
                if (reads(node, map))
                    local = local && phase_[node] == phase_[writer] &&
                            !nodes_[node].operation->needs_batch_sums();
            maps_[map]->values.local = local;
            if (local)
                backward[last_phase() - phase_[writer]].recomputed.push_back(
                    nodes_[writer].operation.get());
        }
    }

    void group_gradients() {
        for (size_t map = 0; map < maps_.size(); ++map)
            maps_[map]->gradient_group = static_cast<int>(map);
        for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
            Map& source = *maps_[node->sources.front()];
            if (node->operation->works_in_place() && readers(node->sources.front()) == 1)
                source.gradient_group = maps_[node->target]->gradient_group;
        }
    }

    // The backward phases from the first to the last that writes or reads a group's gradient.
    struct LiveRange {
        int first, last;
        // Floats of one block.
        size_t size;
        int group;
    };

    LiveRange live_range_of(int group) const {
        LiveRange range{last_phase() + 1, -1, 0, group};
        const auto include = [&](int phase) {
            range.first = std::min(range.first, phase);
            range.last = std::max(range.last, phase);
        };
        const auto belongs = [&](int map) { return maps_[map]->gradient_group == group; };
        for (size_t map = 0; map < maps_.size(); ++map)
            if (belongs(static_cast<int>(map)))
                range.size = std::max(range.size, static_cast<size_t>(maps_[map]->block()));
        if (belongs(static_cast<int>(maps_.size()) - 1)) include(0);
        for (size_t node = 0; node < nodes_.size(); ++node) {
            const bool written = belongs(nodes_[node].target);
            bool read = false;
            for (int map : nodes_[node].sources) read = read || belongs(map);
            if (written || read) include(backward_phase(node));
            if (written && nodes_[node].operation->needs_batch_sums())
                include(backward_phase(node) - 1);
        }
        return range;
    }

    // Gives each gradient, by its live range, the first buffer that is free again. What lives in
    // one phase only needs storage for the blocks at work.
    void allocate_gradients(int blocks, int threads) {
        std::vector<LiveRange> ranges;
        for (size_t group = 0; group < maps_.size(); ++group) {
            const LiveRange range = live_range_of(static_cast<int>(group));
            if (range.size) ranges.push_back(range);
        }
        std::stable_sort(ranges.begin(), ranges.end(),
                         [](const LiveRange& a, const LiveRange& b) { return a.first < b.first; });
        // A slot becomes a buffer: the last phase that uses it, and the size that all of them fit.
        std::vector<LiveRange> slots;
        std::vector<size_t> slot_of(maps_.size());
        for (const LiveRange& range : ranges) {
            if (range.first == range.last) {
                set_gradient(range.group, {std::make_shared<Buffer>(threads * range.size), true});
                continue;
            }
            auto slot = std::find_if(slots.begin(), slots.end(), [&](const LiveRange& used) {
                return used.last < range.first;
            });
            if (slot == slots.end()) slot = slots.insert(slots.end(), LiveRange{0, 0, 0, 0});
            slot->last = range.last;
            slot->size = std::max(slot->size, range.size);
            slot_of[range.group] = static_cast<size_t>(slot - slots.begin());
        }
        std::vector<std::shared_ptr<Buffer>> buffers;
        for (const LiveRange& slot : slots)
            buffers.push_back(std::make_shared<Buffer>(blocks * slot.size));
        for (const LiveRange& range : ranges)
            if (range.first != range.last)
                set_gradient(range.group, {buffers[slot_of[range.group]], false});
    }

    void set_gradient(int group, const Storage& storage) {
        for (auto& map : maps_)
            if (map->gradient_group == group) map->gradient = storage;
    }

    std::vector<std::unique_ptr<Map>>& maps_;
    const std::vector<Node>& nodes_;
    // The forward phase of each operation.
    std::vector<int> phase_;

public:
    std::vector<Phase> forward, backward;
};

}  // namespace flyweight
