// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/client.hpp"

#include "support/api_messages.hpp"
#include "support/echoing_server.hpp"
#include "support/http_calls.hpp"

#include <boost/asio/co_spawn.hpp>
#include <catch2/catch_all.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("an API server that echoes the request does not bring the token into an error") {
    using Echo = std::function<std::string(const std::string&)>;
    const std::vector<Echo> echoes{
        [](const std::string& got) {
            return http_answer(status_json(403, "Forbidden", got), "", "403 Forbidden");
        },
        [](const std::string& got) {
            return http_answer(status_json(500, got, ""), "", "500 Oops");
        },
        [](const std::string& got) { return http_answer(got, "", "404 Not Found"); },
        [](const std::string& got) { return http_answer(got); },
        [](const std::string& got) { return http_answer("{\"kind\":\"" + got + "\"}"); },
        [](const std::string& got) {
            return http_answer(watch_line("ERROR", status_json(500, "x", got)));
        },
        [](const std::string& got) { return http_answer(watch_line(got, "{}")); },
    };
    for (const Echo& echo : echoes) {
        asio::io_context context;
        ScriptedServer server(context, {echo_each(echo)});
        const kubernetes::Client client(
            context.get_executor(),
            {.http = {.url = server.url(),
                      .credentials = http::Credentials::bearer("token-of-the-service-account")}});
        const kubernetes::Resource<kubernetes::Pod> resource;
        const kubernetes::Selection selection{"llm", {}};

        std::optional<Result<kubernetes::Page<kubernetes::Pod>>> page;
        asio::co_spawn(context, client.list(resource, selection, ""),
                       [&](std::exception_ptr, Result<kubernetes::Page<kubernetes::Pod>> result) {
                           page = std::move(result);
                       });
        run_until(context, [&] { return page.has_value(); });
        REQUIRE(page->has_error());
        CHECK_THAT(page->error().describe(), !ContainsSubstring("token-of"));

        const std::function<std::optional<Error>(kubernetes::WatchEvent<kubernetes::Pod>)> ignore =
            [](const auto&) { return std::nullopt; };
        std::optional<kubernetes::WatchEnd> watched;
        asio::co_spawn(
            context, client.watch(resource, selection, "1", ignore),
            [&](std::exception_ptr, kubernetes::WatchEnd end) { watched = std::move(end); });
        run_until(context, [&] { return watched.has_value(); });
        if (watched->error)
            CHECK_THAT(watched->error->describe(), !ContainsSubstring("token-of"));
    }
}
