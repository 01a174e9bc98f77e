// The journal and the functions by which the tests read it.
#include "journal.h"

#include <cxxabi.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "state.h"

namespace hollow {
namespace {

constexpr const char* kKinds[] = {
    "kernel",        "memcpy",      "memset", "host_function", "graph",     "sync",
    "violation",     "alloc",       "free",   "host_alloc",    "host_free", "out_of_memory",
    "capture_begin", "capture_end", "create", "destroy",       "stream_wait", "mark",
};
constexpr const char* kPlaces[] = {"live", "graph", "beside"};

constexpr int kThings = 6;

struct Record {
    Kind kind;
    Place place;
    int device;
    std::uint64_t amount;
    const std::string* name;
};

struct Journal {
    std::vector<Record> records;
    std::unordered_set<std::string> names;
    std::unordered_map<const std::string*, std::string> readable;
    long living[kThings] = {};
};

// Never destroyed: torch's own destructors still call the device when the process ends.
Journal& journal() {
    static auto* only = new Journal;
    return *only;
}

const std::string& demangled(const std::string* name) {
    auto [found, is_new] = journal().readable.try_emplace(name);
    if (is_new) {
        int status = 0;
        char* text = abi::__cxa_demangle(name->c_str(), nullptr, nullptr, &status);
        found->second = status == 0 ? text : *name;
        std::free(text);
    }
    return found->second;
}

bool is_costly(Thing thing) { return thing != Thing::event && thing != Thing::descriptor; }

// What gives back what it is given needs no context of the calling thread's device.
bool is_without_context(Kind kind) {
    return kind == Kind::mark || kind == Kind::free || kind == Kind::host_free ||
           kind == Kind::destroy;
}

// One line a record: kind, place, device, amount and name, with tabs between.
bool write(const char* path) {
    FILE* file = std::fopen(path, "w");
    if (file == nullptr) return false;
    for (const Record& each : journal().records) {
        std::fprintf(file, "%s\t%s\t%d\t%llu\t%s\n", kKinds[static_cast<int>(each.kind)],
                     kPlaces[static_cast<int>(each.place)], each.device,
                     static_cast<unsigned long long>(each.amount), demangled(each.name).c_str());
    }
    return std::fclose(file) == 0;
}

// A process that the tests start leaves its journal in the folder $HOLLOW_JOURNALS.
__attribute__((destructor)) void leave() {
    const char* folder = std::getenv("HOLLOW_JOURNALS");
    Lock lock;
    if (folder == nullptr || journal().records.empty()) return;
    write((std::string(folder) + "/" + std::to_string(getpid()) + ".journal").c_str());
}

}  // namespace

void record(Kind kind, Place place, std::uint64_t amount, const std::string& name) {
    Lock lock;
    if (!is_without_context(kind)) open_context(current_device());
    const std::string& kept = *journal().names.insert(name).first;
    journal().records.push_back({kind, place, current_device(), amount, &kept});
}

void created(Thing thing, const std::string& name) {
    Lock lock;
    ++journal().living[static_cast<int>(thing)];
    if (is_costly(thing)) record(Kind::create, place_now(), 0, name);
}

void destroyed(Thing thing, const std::string& name) {
    Lock lock;
    --journal().living[static_cast<int>(thing)];
    if (is_costly(thing)) record(Kind::destroy, place_now(), 0, name);
}

}  // namespace hollow

API void hollow_reset() {
    hollow::Lock lock;
    hollow::journal().records.clear();
}

API void hollow_mark(const char* name) {
    hollow::record(hollow::Kind::mark, hollow::Place::live, 0, name);
}

API int hollow_write(const char* path) {
    hollow::Lock lock;
    return hollow::write(path) ? 0 : 1;
}

API long hollow_living(int thing) {
    hollow::Lock lock;
    return hollow::journal().living[thing];
}
