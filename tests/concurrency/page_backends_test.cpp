// SPDX-License-Identifier: Apache-2.0
//
// Backends that read pages, on an io_context that several threads run.
#include "support/answering_thread.hpp"
#include "support/run_threads.hpp"
#include "wva_metrics/backend/epp_backend.hpp"
#include "wva_metrics/backend/pod_backend.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using test_support::AnsweringThread;
using test_support::ScriptedServer;

constexpr int page_threads = 4;
constexpr int page_callers = 16;
constexpr int page_rounds = 8;

/// Answers every request with this page.
ScriptedServer::Script page_script(const std::string& page) {
    return test_support::answer_each_with(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
        std::to_string(page.size()) + "\r\n\r\n" + page);
}

/// Runs callers at once on several threads, until all have ended. `call(number)` is the coroutine of
/// a caller, which says whether all was well. Returns how many said so.
template <typename Call>
int run_callers(asio::io_context& context, const Call& call) {
    std::atomic<int> satisfied{0};
    for (int caller = 0; caller < page_callers; ++caller)
        asio::co_spawn(context, call(caller), [&](const std::exception_ptr& thrown, bool is_well) {
            if (!thrown && is_well)
                ++satisfied;
        });
    test_support::run_threads(page_threads, [&](int) { context.run(); });
    return satisfied;
}

/// Pods `0` to `4` that share a server; each call finds others of them.
PodTargets changing_pods(std::string url) {
    return [url = std::move(url), asked = std::make_shared<std::atomic<unsigned>>(0)](
               ModelKey) -> asio::awaitable<Result<std::vector<scrape::ScrapeTarget>>> {
        const unsigned now = (*asked)++;
        std::vector<scrape::ScrapeTarget> found;
        for (unsigned pod = 0; pod < 5; ++pod)
            if ((now + pod) % 3 != 0)
                found.push_back({.url = url, .pod = std::to_string(pod), .namespace_name = "llm"});
        co_return found;
    };
}

/// A pod is listed once, and is not gone too. Its queue is what the page says, or unknown.
bool is_plausible(const Result<ReplicaSamples>& answer) {
    if (!answer || !std::is_sorted(answer->pods.begin(), answer->pods.end(),
                                   [](const auto& a, const auto& b) { return a.pod < b.pod; }))
        return false;
    for (const ReplicaSample& pod : answer->pods) {
        const auto& gone = answer->gone_pods;
        if (std::find(gone.begin(), gone.end(), pod.pod) != gone.end() ||
            pod.queue_length.value_or(3) != 3)
            return false;
    }
    return true;
}

asio::awaitable<bool> ask_pods(PodBackend backend, int caller) {
    // Two models of the same pods, so that calls for one change the targets of both.
    const ModelKey model("llm", caller % 2 == 0 ? "meta/llama" : "meta/other");
    bool is_well = true;
    for (int round = 0; round < page_rounds; ++round) {
        std::vector<ModelKey> models(1, model);
        const auto priority = static_cast<Priority>(round % 2);
        const auto replicas = co_await backend.fetch_replica_samples(std::move(models), priority);
        is_well = is_well && is_plausible(replicas.at(0));
        std::vector<VariantAutoscaling> variants(
            1, VariantAutoscaling("llm", "va", model.model_id, "llama"));
        const auto metrics = co_await backend.fetch_optimizer_metrics(std::move(variants));
        is_well = is_well && metrics.at(0).has_value();
        const Result<Availability> available = co_await backend.check_availability(model);
        is_well = is_well && available.has_value();
    }
    co_return is_well;
}

asio::awaitable<bool> ask_epp(EppBackend backend) {
    const ModelKey model("llm", "meta/llama");
    bool is_well = true;
    for (int round = 0; round < page_rounds; ++round) {
        const Result<EppQueued> queued = co_await backend.is_anything_queued(model);
        is_well = is_well && queued.has_value() && queued->queued == Queued::yes;
        const Result<EppPoolStatus> status = co_await backend.fetch_pool_status();
        is_well = is_well && status.has_value();
        std::vector<ModelKey> models(1, model);
        const auto replicas = co_await backend.fetch_replica_samples(std::move(models));
        is_well = is_well && replicas.size() == 1;
    }
    co_return is_well;
}

TEST_CASE("pods that come and go are read for many callers on several threads") {
    const AnsweringThread server(
        page_script("vllm:num_requests_running{engine=\"0\",model_name=\"meta/llama\"} 1\n"
                    "vllm:num_requests_waiting{engine=\"0\",model_name=\"meta/llama\"} 3\n"
                    "vllm:num_requests_running{engine=\"0\",model_name=\"meta/other\"} 1\n"));
    asio::io_context context;
    PodConfig config;
    config.find_targets = changing_pods(server.url());
    config.find_again_after = 0s;
    config.schedule = {.interval = 10ms, .max_concurrent = 3, .keep_scraping_for = 20ms};
    CHECK(run_callers(context, [backend = PodBackend(context.get_executor(), config)](int caller) {
              return ask_pods(backend, caller);
          }) == page_callers);
}

TEST_CASE("an endpoint picker is read for many callers on several threads") {
    const AnsweringThread server(page_script(
        "llm_d_epp_ready_endpoints{name=\"p\"} 1\n"
        "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"a\"} 4\n"
        "llm_d_epp_flow_control_queue_size{model_name=\"meta/llama\",priority=\"0\"} 3\n"
        "llm_d_epp_request_total{model_name=\"meta/llama\"} 9\n"));
    asio::io_context context;
    EppConfig config = EppConfig::at(server.url(), "llm");
    config.reuse = 0s;
    CHECK(run_callers(context, [backend = EppBackend(context.get_executor(), config)](int) {
              return ask_epp(backend);
          }) == page_callers);
}

} // namespace
} // namespace wva_metrics
