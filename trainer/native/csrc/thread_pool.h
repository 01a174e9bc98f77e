// A pool of threads that work through numbered blocks together.
//
// It pays only under contention. On idle cores OpenMP was just as fast. Where other processes used
// the cores too, OpenMP's threads kept spinning at their barriers: an epoch on two threads took
// 13.7 to 56 seconds, and takes 6.2 to 6.9 with this pool. Even so, two threads beside a busy
// process are no faster than one (figures and hardware: studies/LOG.md). What helps:
// - A free thread takes the next block, so a thread that has lost its core delays only the block
//   that it is working on.
// - A waiting thread spins for some microseconds, then sleeps.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace flyweight {

inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Lets threads wait for a condition. They spin first: mostly the condition becomes true in less
// time than it takes to wake a thread.
class Waiter {
public:
    template <class Condition>
    void wait(const Condition& condition) {
        const auto start = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() - start < kSpinning) {
            if (condition()) return;
            relax();
        }
        std::unique_lock<std::mutex> lock(mutex_);
        ++sleepers_;
        changed_.wait(lock, condition);
        --sleepers_;
    }

    int sleepers() const { return sleepers_; }

    // Wakes up to `count` threads. Call it after the condition has become true.
    void notify(int count) {
        // A thread that has not seen the condition true by now holds the mutex until it sleeps.
        {
            std::lock_guard<std::mutex> lock(mutex_);
        }
        for (int i = 0; i < count; ++i) changed_.notify_one();
    }

private:
    static constexpr std::chrono::microseconds kSpinning{20};

    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<int> sleepers_{0};
};

class ThreadPool {
public:
    // The caller of `run` is one of the threads. If the system refuses to start more threads, the
    // pool works with those that it got.
    explicit ThreadPool(int threads) : shares_(static_cast<size_t>(std::max(threads, 1))) {
        try {
            workers_.reserve(shares_.size() - 1);
            while (size() < threads)
                workers_.emplace_back([this, thread = size()] { serve(thread); });
        } catch (const std::exception&) {
            // The threads that did start do the work.
        }
    }

    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    ~ThreadPool() {
        leaving_ = true;
        begin_.notify(size());
        for (std::thread& worker : workers_) worker.join();
    }

    // Whether this is the copy in a forked process, which has no threads that could be joined.
    bool is_forked_copy() const { return ::getpid() != process_; }

    int size() const { return static_cast<int>(workers_.size()) + 1; }

    // Calls body(block, thread) for all blocks below `count`. Throws what one of the calls threw.
    void run(int count, const std::function<void(int, int)>& body) {
        body_ = &body;
        count_ = count;
        done_ = 0;
        for (int thread = 0; thread < size(); ++thread)
            shares_[thread].blocks = pair(share_of(thread), share_of(thread + 1));
        ++runs_;
        const int awake = size() - begin_.sleepers(), wanted = std::min(count, size());
        if (wanted > awake) begin_.notify(wanted - awake);
        work(0);
        end_.wait([&] { return done_ == count; });
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }

private:
    // The blocks of a thread that are not claimed yet: the lower half is the first of them, the
    // upper half is one past the last.
    struct alignas(64) Share {
        std::atomic<uint64_t> blocks{0};
    };

    static uint64_t pair(uint32_t first, uint32_t end) {
        return static_cast<uint64_t>(end) << 32 | first;
    }

    uint32_t share_of(int thread) const {
        return static_cast<uint32_t>(static_cast<int64_t>(count_) * thread / size());
    }

    void serve(int thread) {
        for (unsigned seen = 0; !leaving_; work(thread)) {
            begin_.wait([&] { return leaving_ || runs_ != seen; });
            seen = runs_;
        }
    }

    // A thread takes its own share first, because the values of these blocks may still lie in its
    // core's cache from the run before. Then it takes blocks from the ends of the other shares.
    void work(int thread) {
        const size_t shares = shares_.size();
        while (const std::optional<int> block = claim(shares_[thread], true))
            finish(*block, thread);
        for (size_t i = 1; i < shares; ++i)
            while (const std::optional<int> block = claim(shares_[(thread + i) % shares], false))
                finish(*block, thread);
    }

    static std::optional<int> claim(Share& share, bool first) {
        uint64_t blocks = share.blocks;
        while (static_cast<uint32_t>(blocks) < blocks >> 32) {
            const uint64_t others = first ? blocks + 1 : blocks - pair(0, 1);
            // A late thread may find the blocks of a later run here. It may work on them too:
            // what to do with a block is read only after the block was claimed.
            if (share.blocks.compare_exchange_weak(blocks, others))
                return static_cast<int>(first ? blocks & 0xffffffffu : others >> 32);
        }
        return std::nullopt;
    }

    void finish(int block, int thread) {
        try {
            (*body_)(block, thread);
        } catch (...) {
            std::lock_guard<std::mutex> lock(failing_);
            failure_ = std::current_exception();
        }
        const int count = count_;
        if (++done_ == count && end_.sleepers()) end_.notify(1);
    }

    const std::function<void(int, int)>* body_ = nullptr;
    int count_ = 0;
    std::vector<Share> shares_;
    alignas(64) std::atomic<unsigned> runs_{0};
    alignas(64) std::atomic<int> done_{0};
    alignas(64) Waiter begin_;
    Waiter end_;
    std::atomic<bool> leaving_{false};
    std::mutex failing_;
    std::exception_ptr failure_;
    const pid_t process_ = ::getpid();
    std::vector<std::thread> workers_;
};

}  // namespace flyweight
