// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/watch_machine.hpp"

#include "support/watch_steps.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <deque>
#include <map>
#include <random>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using namespace wva_metrics::test_support::watch;
using kubernetes::detail::PageFacts;

namespace {

/// A resource with a history, as an API server stores it. Versions are consecutive numbers.
struct ModelServer {
    struct Event {
        int version;
        WatchEventKind kind;
        std::string name;
    };
    int version = 1;
    /// Older versions are no longer available.
    int compacted = 0;
    /// Objects by name, with the version of their last change.
    std::map<std::string, int> objects;
    std::deque<Event> history;

    void change(const std::string& name, bool exists) {
        const bool existed = objects.contains(name);
        if (!exists && !existed)
            return;
        ++version;
        history.push_back({version,
                           !exists   ? WatchEventKind::deleted
                           : existed ? WatchEventKind::modified
                                     : WatchEventKind::added,
                           name});
        if (exists)
            objects[name] = version;
        else
            objects.erase(name);
    }
    void compact() {
        compacted = version;
        history.clear();
    }
};

/// A machine that follows a changing server, with random failures. `followed` are the objects that
/// a handler would have received.
class Simulation {
public:
    explicit Simulation(unsigned seed) : random_(seed) {}

    void run() {
        WatchStep step = machine_.begin();
        for (int i = 0; i < 400 || step.kind != Kind::watch; ++i) {
            is_calm_ = i >= 390;
            if (!is_calm_)
                change_server();
            step = step.kind == Kind::list ? list(step) : watch(step);
        }
        // The last watch has not run yet.
        const int from = std::stoi(step.token);
        if (from >= server.compacted)
            receive_events(from, server.history.size());
    }

    ModelServer server;
    std::map<std::string, int> followed;

private:
    static ClientConfig small_pages() {
        ClientConfig small = config();
        small.page_size = 3;
        return small;
    }

    int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

    void change_server() {
        for (int i = below(4); i > 0; --i) {
            const std::string name(1, static_cast<char>('a' + below(12)));
            server.change(name, below(3) != 0);
        }
        if (below(15) == 0)
            server.compact();
    }

    WatchStep list(const WatchStep& step) {
        if (!is_calm_ && below(6) == 0)
            return machine_.on_list_failed(below(2) == 0 ? down : gone);
        if (step.token.empty()) {
            pages_.clear();
            snapshot_ = server.objects;
            snapshot_version_ = server.version;
        } else if (snapshot_version_ < server.compacted) {
            return machine_.on_list_failed(gone);
        }
        auto next = step.token.empty() ? snapshot_.begin() : snapshot_.upper_bound(step.token);
        PageFacts page{.objects = 0,
                       .continue_token = "",
                       .resource_version = std::to_string(snapshot_version_)};
        std::string last;
        for (; next != snapshot_.end() && page.objects < step.page_size; ++next, ++page.objects) {
            pages_.insert(*next);
            last = next->first;
        }
        page.continue_token = next == snapshot_.end() ? "" : last;
        WatchStep after = machine_.on_page(std::move(page));
        if (after.is_list_complete)
            followed = pages_;
        return after;
    }

    WatchStep watch(const WatchStep& step) {
        const int from = std::stoi(step.token);
        if (from < server.compacted)
            return machine_.on_watch_ended(below(2) == 0 ? refused_end(gone) : short_end(gone));
        const std::size_t limit = is_calm_ ? 1000 : static_cast<std::size_t>(below(5));
        if (receive_events(from, limit) && below(2) == 0)
            machine_.on_event(WatchEventKind::bookmark, std::to_string(server.version));
        switch (is_calm_ ? 0 : below(4)) {
        case 0:
            return machine_.on_watch_ended(good_end());
        case 1:
            return machine_.on_watch_ended(good_end(failure(Errc::unreachable, 200)));
        case 2:
            return machine_.on_watch_ended(short_end());
        default:
            return machine_.on_watch_ended(good_end(failure(Errc::bad_response, 200)));
        }
    }

    /// Receives at most `limit` events after a version. Returns whether these were all.
    bool receive_events(int from, std::size_t limit) {
        for (const ModelServer::Event& event : server.history) {
            if (event.version <= from)
                continue;
            if (limit-- == 0)
                return false;
            machine_.on_event(event.kind, std::to_string(event.version));
            if (event.kind == WatchEventKind::deleted)
                followed.erase(event.name);
            else
                followed[event.name] = event.version;
        }
        return true;
    }

    std::mt19937 random_;
    WatchMachine machine_{small_pages(), no_jitter};
    bool is_calm_ = false;
    std::map<std::string, int> pages_;
    std::map<std::string, int> snapshot_;
    int snapshot_version_ = 0;
};

} // namespace

TEST_CASE("whatever fails on the way, the followed objects are those of the server in the end") {
    Simulation simulation(GENERATE(range(1U, 60U)));
    simulation.run();
    CHECK(simulation.followed == simulation.server.objects);
}
