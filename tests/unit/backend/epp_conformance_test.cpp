// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/epp_backend.hpp"
#include "wva_metrics/testing/backend_conformance.hpp"

#include "support/scripted_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using test_support::ScriptedServer;

/// An EPP whose counters grow with each scrape.
struct GrowingEpp {
    std::size_t scrapes = 0;
    bool is_broken = false;

    std::string page() {
        const std::string requests = std::to_string(++scrapes);
        std::string text = "llm_d_epp_ready_endpoints{name=\"p\"} 2\n";
        for (const std::string model : {"model/a", "model/b"})
            text += "llm_d_epp_request_total{model_name=\"" + model + "\"} " + requests + "\n";
        return text;
    }
    static ScriptedServer::Script script(std::shared_ptr<GrowingEpp> epp) {
        return [epp](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            for (;;) {
                co_await peer->read_request();
                const std::string page = epp->page();
                const std::string answer =
                    "HTTP/1.1 " + std::string(epp->is_broken ? "503 x" : "200 OK") +
                    "\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
                    std::to_string(page.size()) + "\r\n\r\n" + page;
                co_await peer->send(answer);
            }
        };
    }
};

} // namespace

TEST_CASE("the backend of an endpoint picker conforms", "[epp]") {
    const std::vector<VariantAutoscaling> variants = {{"ns", "a-va", "model/a", "a"},
                                                      {"ns", "b-va", "model/b", "b"}};
    asio::io_context context;
    const auto epp = std::make_shared<GrowingEpp>();
    ScriptedServer server(context, {GrowingEpp::script(epp)});
    EppConfig config = EppConfig::at(server.url(), "ns");
    config.reuse = std::chrono::milliseconds(5);
    EppBackend warm(context.get_executor(), config);
    for (bool is_warm = false; !is_warm;) {
        context.restart();
        asio::co_spawn(context, warm.fetch_optimizer_metrics(variants),
                       [&](std::exception_ptr, std::vector<Result<OptimizerMetrics>> answers) {
                           is_warm = answers.at(0)->arrival_rate_per_minute.has_value();
                       });
        context.run_for(std::chrono::milliseconds(10));
    }
    testing::ConformanceSubject<EppBackend> subject{
        .context = context,
        .make = [&] { return warm; },
        .variants = variants,
        .break_source = [&] { epp->is_broken = true; },
        .repair_source = [&] { epp->is_broken = false; },
        .knows_pods = false};
    CHECK(testing::BackendConformance<EppBackend>(subject).check() == std::vector<std::string>{});
}

} // namespace wva_metrics
