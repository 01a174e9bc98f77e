// Threads that work through numbered blocks together.
//
// A block is claimed by whoever is free, so that a thread which another process keeps off its core
// holds up no more than the block it works on.
#pragma once

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

#include <sys/types.h>
#include <unistd.h>

namespace flyweight {

inline void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Where threads wait for a condition: awake at first, since what they wait for mostly comes within
// the time that it takes to wake a thread.
class Bell {
public:
    template <class Condition>
    void wait(const Condition& condition) {
        const auto start = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() - start < kAwake) {
            if (condition()) return;
            relax();
        }
        std::unique_lock<std::mutex> lock(mutex_);
        ++sleepers_;
        bell_.wait(lock, condition);
        --sleepers_;
    }

    int sleepers() const { return sleepers_; }

    // Wakes so many threads, after what they wait for was made true.
    void ring(int count) {
        // Whoever has not seen the condition true by now holds the mutex until asleep.
        { std::lock_guard<std::mutex> lock(mutex_); }
        for (int i = 0; i < count; ++i) bell_.notify_one();
    }

private:
    static constexpr std::chrono::microseconds kAwake{20};

    std::mutex mutex_;
    std::condition_variable bell_;
    std::atomic<int> sleepers_{0};
};

class Crew {
public:
    explicit Crew(int threads) : shares_(static_cast<size_t>(std::max(threads, 1))) {
        try {
            workers_.reserve(shares_.size() - 1);
            while (size() < threads)
                workers_.emplace_back([this, thread = size()] { serve(thread); });
        } catch (const std::exception&) {
            // Where no more threads are to be had, those that are do the work.
        }
    }

    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    ~Crew() {
        leaving_ = true;
        begin_.ring(size());
        for (std::thread& worker : workers_) worker.join();
    }

    // Whether this is the copy in a forked process, which has no threads that could be ended.
    bool is_copy() const { return ::getpid() != process_; }

    int size() const { return static_cast<int>(workers_.size()) + 1; }

    // Calls body(block, thread) for all blocks below `count`, and throws what one of them threw.
    void run(int count, const std::function<void(int, int)>& body) {
        body_ = &body;
        count_ = count;
        done_ = 0;
        for (int thread = 0; thread < size(); ++thread)
            shares_[thread].blocks = pair(share_of(thread), share_of(thread + 1));
        ++runs_;
        const int awake = size() - begin_.sleepers(), wanted = std::min(count, size());
        if (wanted > awake) begin_.ring(wanted - awake);
        work(0);
        end_.wait([&] { return done_ == count; });
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }

private:
    // The blocks of a thread that are not claimed yet: the first, and in the upper half the end.
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

    // What a thread did in the run before may still lie in its core's cache, so that it does its
    // own share first, and then the ends of the others'.
    void work(int thread) {
        const size_t shares = shares_.size();
        while (const std::optional<int> block = claim(shares_[thread], true)) finish(*block, thread);
        for (size_t i = 1; i < shares; ++i)
            while (const std::optional<int> block = claim(shares_[(thread + i) % shares], false))
                finish(*block, thread);
    }

    static std::optional<int> claim(Share& share, bool first) {
        uint64_t blocks = share.blocks;
        while (static_cast<uint32_t>(blocks) < blocks >> 32) {
            const uint64_t others = first ? blocks + 1 : blocks - pair(0, 1);
            // A thread that is late may meet the blocks of a later run; those it claims are work
            // all the same, and what is to be done with them is read after the claim.
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
        if (++done_ == count && end_.sleepers()) end_.ring(1);
    }

    const std::function<void(int, int)>* body_ = nullptr;
    int count_ = 0;
    std::vector<Share> shares_;
    alignas(64) std::atomic<unsigned> runs_{0};
    alignas(64) std::atomic<int> done_{0};
    alignas(64) Bell begin_;
    Bell end_;
    std::atomic<bool> leaving_{false};
    std::mutex failing_;
    std::exception_ptr failure_;
    const pid_t process_ = ::getpid();
    std::vector<std::thread> workers_;
};

}  // namespace flyweight
