// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/epp_backend.hpp"
#include "wva_metrics/http/tls.hpp"

#include "support/certificates.hpp"
#include "support/secrets.hpp"
#include "support/temporary_directory.hpp"
#include "support/tls_server.hpp"
#include "support/tls_trust.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;

Result<EppPoolStatus> status_over_tls(asio::io_context& context, EppConfig config) {
    EppBackend backend(context.get_executor(), std::move(config));
    std::optional<Result<EppPoolStatus>> result;
    asio::co_spawn(context, backend.fetch_pool_status(),
                   [&](std::exception_ptr thrown, Result<EppPoolStatus> got) {
                       REQUIRE(!thrown);
                       result = std::move(got);
                   });
    while (!result && context.run_one() > 0) {
    }
    REQUIRE(result.has_value());
    return *std::move(result);
}

TEST_CASE("an EPP with TLS is read with the authority of its certificate, and not without",
          "[epp]") {
    const std::string page = "llm_d_epp_ready_endpoints{name=\"p\"} 2\n";
    const test_support::Trust trust;
    asio::io_context context;
    const test_support::TlsServer server(
        context, trust.localhost(),
        {.answer =
             "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: " +
             std::to_string(page.size()) + "\r\n\r\n" + page});
    EppConfig config = EppConfig::at(server.url(), "ns");
    const std::string token_file = trust.file("token", test_support::secret_token);
    config.client.credentials = http::Credentials::bearer_file(token_file);
    config.client.transport = http::make_tls_transport(trust.config()).value();
    const Result<EppPoolStatus> status = status_over_tls(context, config);
    REQUIRE(status.has_value());
    CHECK(status->ready_endpoints.value() == 2);

    const test_support::Trust other;
    config.client.transport = http::make_tls_transport(other.config()).value();
    const Result<EppPoolStatus> distrusted = status_over_tls(context, config);
    REQUIRE(distrusted.has_error());
    CHECK(distrusted.error().is(Errc::tls_failed));
    CHECK(distrusted.error().endpoint == server.url());
    CHECK(server.log().requests == 1);
}

} // namespace
} // namespace wva_metrics
