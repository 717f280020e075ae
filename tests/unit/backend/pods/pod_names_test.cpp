// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using test_support::PodLoad;
using test_support::PodsFixture;
using test_support::ScriptedServer;
using test_support::vllm_page;

/// The lines of a page whose metrics a request asks for, or nothing at all.
class FilteringPod {
public:
    FilteringPod(asio::io_context& context, bool obeys)
        : load_(std::make_shared<PodLoad>()), server_(context, {script(load_, obeys)}) {}

    PodLoad& load() { return *load_; }
    std::string asked(std::size_t request) const {
        const std::string& text = server_.requests().at(request);
        return text.substr(0, text.find("\r\n"));
    }
    std::size_t requests() const { return server_.requests().size(); }
    scrape::ScrapeTarget target(std::string uid = "1") const {
        return {.url = server_.url(), .pod = "a", .namespace_name = "llm", .uid = std::move(uid)};
    }

private:
    static ScriptedServer::Script script(std::shared_ptr<PodLoad> load, bool obeys) {
        return [load, obeys](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            for (;;) {
                const std::string request = co_await peer->read_request();
                std::string page = vllm_page(*load);
                for (int i = 0; i < 50; ++i)
                    page += "python_gc_" + std::to_string(i) + "{generation=\"0\"} 1\n";
                if (request.find("name%5B%5D=") != std::string::npos)
                    page = obeys ? named_lines(page, request) : "";
                co_await peer->send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                    "Content-Length: " +
                                    std::to_string(page.size()) + "\r\n\r\n" + page);
            }
        };
    }

    static std::string named_lines(const std::string& page, const std::string& request) {
        std::istringstream lines(page);
        std::string named;
        for (std::string line; std::getline(lines, line);) {
            std::string name = line.substr(0, line.find('{'));
            if (const std::size_t colon = name.find(':'); colon != std::string::npos)
                name.replace(colon, 1, "%3A");
            if (request.find("=" + name + "&") != std::string::npos ||
                request.find("=" + name + " ") != std::string::npos)
                named += line + '\n';
        }
        return named;
    }

    std::shared_ptr<PodLoad> load_;
    ScriptedServer server_;
};

struct NamesOfPods : PodsFixture {
    NamesOfPods() { config.schedule.interval = 10ms; }

    /// Asks until the pod has been requested so often.
    void ask(PodBackend& backend, const FilteringPod& pod, std::size_t requests) {
        while (pod.requests() < requests)
            replicas(backend);
    }
};

TEST_CASE_METHOD(NamesOfPods, "a pod that obeys is asked for the metrics of its engine only") {
    FilteringPod pod(context, true);
    config.targets = {pod.target()};
    config.peak_window = 0s;
    PodBackend backend(context.get_executor(), config);
    CHECK(replicas(backend).pods.front().queue_length.value() == 0);
    pod.load().waiting = 3;
    ask(backend, pod, 3);
    ReplicaSamples samples;
    do
        samples = replicas(backend);
    while (samples.pods.front().queue_length.value() != 3);
    CHECK(samples.pods.front().kv_cache_usage.value() == 0.5);
    CHECK(pod.asked(0) == "GET /metrics HTTP/1.1");
    for (std::size_t request = 1; request < pod.requests(); ++request) {
        CHECK(pod.asked(request).find("=vllm%3Anum_requests_waiting&") != std::string::npos);
        CHECK(pod.asked(request).find("=vllm%3Arequest_success_created&") != std::string::npos);
        CHECK(pod.asked(request).find("sglang") == std::string::npos);
        CHECK(pod.asked(request).size() < 4000);
    }
}

TEST_CASE_METHOD(NamesOfPods, "a pod that answers names with an empty page is not idle") {
    FilteringPod pod(context, false);
    pod.load().waiting = 3;
    config.targets = {pod.target()};
    PodBackend backend(context.get_executor(), config);
    while (pod.requests() < 6) {
        const ReplicaSamples samples = replicas(backend);
        REQUIRE(samples.pods.size() == 1);
        CHECK(samples.pods.front().queue_length.value() == 3);
        CHECK(!samples.partial);
    }
    CHECK(pod.asked(1).find("name%5B%5D=") != std::string::npos);
    for (std::size_t request = 2; request < 6; ++request)
        CHECK(pod.asked(request) == "GET /metrics HTTP/1.1");
}

TEST_CASE_METHOD(NamesOfPods, "the answer to names is remembered by the uid of the pod") {
    FilteringPod pod(context, true);
    const auto found = std::make_shared<std::vector<scrape::ScrapeTarget>>();
    found->push_back(pod.target("1"));
    config.find_again_after = 0s;
    config.find_targets =
        [found](ModelKey) -> asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>> {
        co_return *found;
    };
    PodBackend backend(context.get_executor(), config);
    ask(backend, pod, 3);
    found->front() = pod.target("2");
    const std::size_t before = pod.requests();
    ask(backend, pod, before + 3);
    std::size_t whole = 0;
    for (std::size_t request = 0; request < before + 3; ++request)
        whole += pod.asked(request) == "GET /metrics HTTP/1.1" ? 1U : 0U;
    CHECK(whole == 2);
}

TEST_CASE_METHOD(NamesOfPods, "pods are not asked by name if the configuration forbids it") {
    FilteringPod pod(context, true);
    config.targets = {pod.target()};
    config.ask_by_name = false;
    PodBackend backend(context.get_executor(), config);
    ask(backend, pod, 4);
    CHECK(pod.asked(3) == "GET /metrics HTTP/1.1");
}

} // namespace
} // namespace wva_metrics
