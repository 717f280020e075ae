// SPDX-License-Identifier: Apache-2.0
//
// A reflector beside a simple model of a cluster: whatever changes, and wherever the bytes are cut,
// both have the same objects in the end.
#include "support/cluster.hpp"
#include "support/followed_pods.hpp"
#include "support/http_calls.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// A cluster that changes at random, and what a reflector should know of it.
class ChangingCluster {
public:
    ChangingCluster(asio::io_context& context, unsigned seed) : cluster(context), random_(seed) {}

    std::size_t below(std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }

    /// Writes a text in random pieces.
    void send(const ApiServer::StreamPtr& stream, std::string text) {
        while (!text.empty()) {
            const std::size_t size = std::min(text.size(), 1 + below(below(2) == 0 ? 20 : 400));
            stream->send(text.substr(0, size));
            text.erase(0, size);
        }
    }

    /// Changes one object at random. Returns the event.
    std::string change() {
        const std::string name(1, static_cast<char>('a' + below(8)));
        const bool exists = objects_.contains(name);
        ++version_;
        if (exists && below(3) == 0) {
            objects_.erase(name);
            known.erase(name);
            return watch_line("DELETED", pod_json(name, version()));
        }
        objects_[name] = version();
        const std::string type = exists ? "MODIFIED" : "ADDED";
        if (below(6) == 0) // An event that cannot be read: what was known of the object stays.
            return watch_line(type, unreadable(name));
        known[name] = version();
        return watch_line(type, pod_json(name, version()));
    }

    /// Answers a list with all objects in random pages. One of them may be unreadable.
    void answer_list() {
        const std::string skipped = below(3) == 0 ? std::string(1, 'a') : "";
        known.clear();
        std::vector<std::string> objects;
        for (const auto& [name, at] : objects_) {
            objects.push_back(name == skipped ? unreadable(name) : pod_json(name, at));
            if (name != skipped)
                known[name] = at;
        }
        for (std::size_t begin = 0, end = 0; end < objects.size() || begin == 0; begin = end) {
            end = std::min(objects.size(), begin + 1 + below(4));
            const std::vector<std::string> page(objects.begin() + std::ptrdiff_t(begin),
                                                objects.begin() + std::ptrdiff_t(end));
            const auto stream = cluster.server.stream_list("pods");
            send(stream, object_list(page, version(), end == objects.size() ? "" : "more"));
            stream->end();
            if (objects.empty())
                break;
        }
    }

    std::string version() const { return std::to_string(version_); }

    Cluster cluster;
    /// Names and versions of what a reflector should know.
    std::map<std::string, std::string> known;

private:
    std::string unreadable(const std::string& name) {
        std::string object = pod_json(name, version());
        const bool is_deep = below(2) == 0;
        return object.insert(object.size() - 1,
                             is_deep ? ",\"x\":" + std::string(150, '[') + std::string(150, ']')
                                     : ",\"x\":\"" + std::string(3000, 'x') + '"');
    }

    std::mt19937 random_;
    int version_ = 10;
    std::map<std::string, std::string> objects_;
};

std::map<std::string, std::string> versions_of(const ReceivedPods& received) {
    std::map<std::string, std::string> versions;
    for (const auto& [name, pod] : received.pods)
        versions[name] = pod.metadata.resource_version;
    return versions;
}

} // namespace

TEST_CASE("a reflector knows what a simple model knows, wherever the bytes are cut") {
    asio::io_context context;
    ChangingCluster changing(context, GENERATE(range(1U, 21U)));
    ApiServer& server = changing.cluster.server;
    for (int i = 0; i < 8; ++i)
        changing.change();
    kubernetes::ClientConfig config = changing.cluster.config();
    config.max_object_bytes = 2000;
    changing.answer_list();
    auto stream = server.answer_watch("pods");
    const FollowedPods following(context, config);
    for (std::size_t round = 0; round < 6; ++round) {
        for (std::size_t events = changing.below(8); events > 0; --events)
            changing.send(stream, changing.below(5) == 0 ? bookmark_line(changing.version())
                                                         : changing.change());
        const auto before = std::exchange(stream, server.answer_watch("pods"));
        switch (changing.below(3)) {
        case 0:
            before->end();
            break;
        case 1:
            changing.send(before, watch_line("ERROR", status_json(410, "Expired", "too old")));
            changing.answer_list();
            break;
        default:
            changing.send(before, "this is no event\n");
            changing.answer_list();
            break;
        }
        run_until(context, [&] { return stream->is_open(); });
        CHECK(versions_of(following.received) == changing.known);
        CHECK(following.received.lists == following.reflector.status().lists);
    }
}
