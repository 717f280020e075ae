// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../../tests/support/http_exchange.hpp"

#include "support/measurement.hpp"

#include <wva_metrics/workload.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// The queries that the Go original (the collector of the llm-d workload-variant-autoscaler,
/// January 2026) sends to Prometheus: five about each variant and three about each model, one after
/// the other.
///
/// Here they are sent over one keep-alive connection, and the answers are read but not decoded,
/// which is less work than Go's client does.
class GoPlan {
public:
    explicit GoPlan(std::uint16_t port) : socket_(io_) {
        socket_.connect({boost::asio::ip::address_v4::loopback(), port});
        socket_.set_option(boost::asio::ip::tcp::no_delay(true));
    }

    void ask(const wva_metrics::VariantAutoscaling& variant) {
        const std::string selector = "{model_name=\"" + variant.model_id + "\",namespace=\"" +
                                     variant.namespace_name + "\"}";
        const auto rate = [&](const char* metric) {
            return "sum(rate(" + std::string(metric) + selector + "[1m]))";
        };
        send(rate("vllm:request_success_total"));
        for (const auto& [sum, count] :
             {std::pair("vllm:request_prompt_tokens_sum", "vllm:request_prompt_tokens_count"),
              std::pair("vllm:request_generation_tokens_sum",
                        "vllm:request_generation_tokens_count"),
              std::pair("vllm:time_to_first_token_seconds_sum",
                        "vllm:time_to_first_token_seconds_count"),
              std::pair("vllm:time_per_output_token_seconds_sum",
                        "vllm:time_per_output_token_seconds_count")})
            send(rate(sum) + "/" + rate(count));
    }

    /// `deployments`: those of the model's variants.
    void ask(const wva_metrics::ModelKey& model, const std::vector<std::string>& deployments) {
        const std::string selector =
            "{namespace=\"" + model.namespace_name + "\",model_name=\"" + model.model_id + "\"}";
        for (const char* metric : {"vllm:kv_cache_usage_perc", "vllm:num_requests_waiting"})
            send("max by (pod) (max_over_time(" + std::string(metric) + selector + "[1m]))");
        std::string pods;
        for (const std::string& deployment : deployments)
            pods += (pods.empty() ? "" : "|") + deployment + "-.*";
        send("kube_pod_info{namespace=\"" + model.namespace_name + "\",pod=~\"" + pods + "\"}");
    }

    std::size_t queries() const noexcept { return queries_; }
    /// Number of queries with at least one series in the answer.
    std::size_t answered() const noexcept { return answered_; }

private:
    void send(const std::string& promql) {
        namespace http = boost::beast::http;
        http::request<http::string_body> request(http::verb::post, "/api/v1/query", 11);
        request.set(http::field::host, "127.0.0.1");
        request.set(http::field::content_type, "application/x-www-form-urlencoded");
        request.body() = "query=" + wva_metrics::test_support::form_encode(promql);
        request.prepare_payload();
        http::write(socket_, request);
        http::response<http::string_body> response;
        http::read(socket_, buffer_, response);
        require(response.result() == http::status::ok,
                "Prometheus did not answer a query of the Go plan");
        ++queries_;
        if (response.body().find("\"metric\"") != std::string::npos)
            ++answered_;
    }

    boost::asio::io_context io_;
    boost::asio::ip::tcp::socket socket_;
    boost::beast::flat_buffer buffer_;
    std::size_t queries_ = 0;
    std::size_t answered_ = 0;
};

} // namespace bench
