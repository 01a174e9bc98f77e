// The order of work on a batch and where its maps lie.
//
// A phase is what can be done block by block before sums over the batch are needed. Values that are
// cheap and read within their phase alone are kept for the block at work only, and computed again
// on the way back; gradients share room as soon as nobody reads the earlier one any more. Together
// this keeps a step's maps in the processor's cache as far as they go.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "buffers.h"
#include "operations/operation.h"

namespace flyweight {

// An operation between its maps.
struct Node {
    std::unique_ptr<Operation> operation;
    std::vector<int> from;
    int to;
};

struct Phase {
    // On the way back: what is computed again first.
    std::vector<Operation*> again;
    std::vector<Operation*> work;
    // The operation whose sums end the phase, if any.
    Operation* last = nullptr;
};

class Schedule {
public:
    Schedule(std::vector<std::unique_ptr<Map>>& maps, const std::vector<Node>& nodes)
        : maps_(maps), nodes_(nodes), forward(1), backward(1) {
        for (const Node& node : nodes_) {
            if (node.operation->sums_batch()) {
                forward.back().last = node.operation.get();
                forward.emplace_back();
            }
            forward.back().work.push_back(node.operation.get());
            phase_.push_back(static_cast<int>(forward.size()) - 1);
        }
        for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
            if (node->operation->sums_batch()) {
                backward.back().last = node->operation.get();
                backward.emplace_back();
            }
            backward.back().work.push_back(node->operation.get());
        }
        find_local_values();
        group_gradients();
    }

    // Gives every map its room.
    void allocate(int blocks, int threads) {
        for (auto& map : maps_)
            map->values.buffer = std::make_shared<Buffer>(
                (map->values.local ? threads : std::max(blocks, threads)) * map->block());
        allocate_gradients(blocks, threads);
    }

private:
    int last_phase() const { return static_cast<int>(forward.size()) - 1; }

    // The phase of the way back in which an operation passes the gradient on.
    int backward_phase(size_t node) const {
        return last_phase() - phase_[node] + (nodes_[node].operation->sums_batch() ? 1 : 0);
    }

    bool reads(size_t node, int map) const {
        const auto& from = nodes_[node].from;
        return std::find(from.begin(), from.end(), map) != from.end();
    }

    int readers(int map) const {
        int count = 0;
        for (size_t node = 0; node < nodes_.size(); ++node) count += reads(node, map);
        return count;
    }

    void find_local_values() {
        for (size_t made = 0; made < nodes_.size(); ++made) {
            const int map = nodes_[made].to;
            bool local = !nodes_[made].operation->is_costly() &&
                         map != static_cast<int>(maps_.size()) - 1;
            for (size_t node = 0; node < nodes_.size(); ++node)
                if (reads(node, map))
                    local = local && phase_[node] == phase_[made] &&
                            !nodes_[node].operation->sums_batch();
            maps_[map]->values.local = local;
            if (local)
                backward[last_phase() - phase_[made]].again.push_back(
                    nodes_[made].operation.get());
        }
    }

    void group_gradients() {
        for (size_t map = 0; map < maps_.size(); ++map)
            maps_[map]->gradient_group = static_cast<int>(map);
        for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node)
            if (node->operation->works_in_place() && readers(node->from.front()) == 1)
                maps_[node->from.front()]->gradient_group = maps_[node->to]->gradient_group;
    }

    struct Life {
        int first, last;
        size_t size;
        int group;
    };

    // The phases of the way back in which a group's gradient is written or read.
    Life life_of(int group) const {
        Life life{last_phase() + 1, -1, 0, group};
        const auto touch = [&](int phase) {
            life.first = std::min(life.first, phase);
            life.last = std::max(life.last, phase);
        };
        const auto belongs = [&](int map) { return maps_[map]->gradient_group == group; };
        for (size_t map = 0; map < maps_.size(); ++map)
            if (belongs(static_cast<int>(map)))
                life.size = std::max(life.size, static_cast<size_t>(maps_[map]->block()));
        if (belongs(static_cast<int>(maps_.size()) - 1)) touch(0);
        for (size_t node = 0; node < nodes_.size(); ++node) {
            const bool made = belongs(nodes_[node].to);
            bool read = false;
            for (int map : nodes_[node].from) read = read || belongs(map);
            if (made || read) touch(backward_phase(node));
            if (made && nodes_[node].operation->sums_batch()) touch(backward_phase(node) - 1);
        }
        return life;
    }

    void allocate_gradients(int blocks, int threads) {
        std::vector<Life> lives;
        for (size_t group = 0; group < maps_.size(); ++group) {
            const Life life = life_of(static_cast<int>(group));
            if (life.size) lives.push_back(life);
        }
        std::stable_sort(lives.begin(), lives.end(),
                         [](const Life& a, const Life& b) { return a.first < b.first; });
        std::vector<Life> rooms;
        std::vector<size_t> room_of(maps_.size());
        for (const Life& life : lives) {
            if (life.first == life.last) {
                give(life.group, {std::make_shared<Buffer>(threads * life.size), true});
                continue;
            }
            auto room = std::find_if(rooms.begin(), rooms.end(),
                                     [&](const Life& held) { return held.last < life.first; });
            if (room == rooms.end()) room = rooms.insert(rooms.end(), Life{0, 0, 0, 0});
            room->last = life.last;
            room->size = std::max(room->size, life.size);
            room_of[life.group] = static_cast<size_t>(room - rooms.begin());
        }
        std::vector<std::shared_ptr<Buffer>> buffers;
        for (const Life& room : rooms)
            buffers.push_back(std::make_shared<Buffer>(blocks * room.size));
        for (const Life& life : lives)
            if (life.first != life.last) give(life.group, {buffers[room_of[life.group]], false});
    }

    void give(int group, const Room& room) {
        for (auto& map : maps_)
            if (map->gradient_group == group) map->gradient = room;
    }

    std::vector<std::unique_ptr<Map>>& maps_;
    const std::vector<Node>& nodes_;
    // The forward phase of each operation.
    std::vector<int> phase_;

public:
    std::vector<Phase> forward, backward;
};

}  // namespace flyweight
