// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/scripted_server.hpp"
#include "wva_metrics/backend/pod_backend.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// What a pod's page says.
struct PodLoad {
    std::string model = "meta/llama";
    double running = 1;
    double waiting = 0;
    double kv_cache = 0.5;
    double requests = 10;
    std::string engine = "0";
};

/// The page of a vLLM with this load.
inline std::string vllm_page(const PodLoad& load) {
    const std::string labels =
        "{engine=\"" + load.engine + "\",model_name=\"" + load.model + "\"} ";
    const std::string done = "{engine=\"" + load.engine +
                             "\",finished_reason=\"stop\",model_name=\"" + load.model + "\"} ";
    return "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running" + labels +
           std::to_string(load.running) +
           "\n# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting" + labels +
           std::to_string(load.waiting) +
           "\n# TYPE vllm:kv_cache_usage_perc gauge\nvllm:kv_cache_usage_perc" + labels +
           std::to_string(load.kv_cache) +
           "\n# TYPE vllm:request_success counter\nvllm:request_success_total" + done +
           std::to_string(load.requests) + "\n";
}

/// A pod on loopback with a page that a test may change.
class PagedPod {
public:
    explicit PagedPod(asio::io_context& context, std::string page = vllm_page({}))
        : said_(std::make_shared<Said>(Said{std::move(page)})), server_(context, {script(said_)}) {}

    void show(std::string page) { *said_ = {std::move(page)}; }
    void show_protobuf(std::string page) {
        show(std::move(page));
        said_->type = "application/vnd.google.protobuf; "
                      "proto=io.prometheus.client.MetricFamily; encoding=delimited";
    }
    void answer_with(std::string status) { said_->status = std::move(status); }
    /// It accepts connections, and answers nothing.
    void fall_silent() { said_->is_silent = true; }
    /// Only the first bytes of its page arrive.
    void cut_off_at(std::size_t bytes) { said_->cut = bytes; }

    scrape::ScrapeTarget target(std::string pod, std::string model = "") const {
        scrape::ScrapeTarget made;
        made.url = server_.url();
        made.pod = std::move(pod);
        made.namespace_name = "llm";
        made.model = std::move(model);
        return made;
    }
    std::size_t scrapes() const { return server_.requests().size(); }
    const ScriptedServer& server() const { return server_; }

private:
    struct Said {
        std::string page;
        std::string status = "200 OK";
        std::string type = "text/plain; version=0.0.4";
        bool is_silent = false;
        std::size_t cut = 0;
    };

    static ScriptedServer::Script script(std::shared_ptr<Said> said) {
        return [said](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            for (;;) {
                co_await peer->read_request();
                if (said->is_silent) {
                    co_await peer->wait_for_close();
                    co_return;
                }
                std::string answer = "HTTP/1.1 " + said->status +
                                     "\r\nContent-Type: " + said->type +
                                     "\r\nContent-Length: " + std::to_string(said->page.size()) +
                                     "\r\n\r\n" + said->page;
                if (said->cut > 0) {
                    answer.resize(answer.size() - said->page.size() + said->cut);
                    co_await peer->send(answer);
                    co_return;
                }
                co_await peer->send(answer);
            }
        };
    }

    std::shared_ptr<Said> said_;
    ScriptedServer server_;
};

/// A backend of pods in one thread.
struct PodsFixture {
    asio::io_context context;
    PodConfig config;

    PodsFixture() {
        // A call within this time scrapes nothing again.
        config.schedule.interval = std::chrono::minutes(5);
        config.scrape_timeout = std::chrono::seconds(60);
        config.batch_timeout = std::chrono::minutes(2);
        config.client.timeouts.attempt = std::chrono::minutes(1);
    }

    template <typename T>
    T run(asio::awaitable<T> call) {
        std::optional<T> result;
        context.restart();
        asio::co_spawn(context, std::move(call), [&](std::exception_ptr thrown, T got) {
            if (thrown)
                std::rethrow_exception(thrown);
            result = std::move(got);
        });
        while (!result)
            if (context.run_one() == 0)
                throw std::runtime_error("the call has not completed");
        return *std::move(result);
    }

    ReplicaSamples replicas(PodBackend& backend, const std::string& model = "meta/llama") {
        std::vector<ModelKey> models(1, ModelKey("llm", model));
        return run(backend.fetch_replica_samples(std::move(models))).front().value();
    }
    OptimizerMetrics optimizer(PodBackend& backend, const std::string& deployment = "llama") {
        std::vector<VariantAutoscaling> variants(
            1, VariantAutoscaling("llm", deployment + "-va", "meta/llama", deployment));
        return run(backend.fetch_optimizer_metrics(std::move(variants))).front().value();
    }
    Availability availability(PodBackend& backend, const std::string& model = "meta/llama") {
        return run(backend.check_availability(ModelKey("llm", model))).value();
    }
};

inline std::string all_of(const std::vector<std::string>& warnings) {
    std::string text;
    for (const std::string& warning : warnings)
        text += warning + '\n';
    return text;
}

} // namespace wva_metrics::test_support
