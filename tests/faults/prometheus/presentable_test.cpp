// SPDX-License-Identifier: Apache-2.0
//
// Whatever a server or a proxy writes into its answers, what people read of it is bounded and clean.
#include "faults/prometheus/client_fixture.hpp"

#include "support/presentable.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace wva_metrics::test_support::prometheus_client;

TEST_CASE("what a server writes into its answers is bounded and clean in every error") {
    const std::string text = hostile_line();
    // A header must fit into the limit of all headers.
    const std::string value = text.substr(0, 5'000);
    const auto status =
        GENERATE("200 OK", "302 Found", "400 Bad Request", "401 Unauthorized", "404 Not Found",
                 "422 Unprocessable Entity", "429 Slow down", "500 Oops", "503 Busy");
    const auto bytes = GENERATE_COPY(
        answer(status, hostile_text()), answer(status, "<html>" + text + "</html>"),
        answer(status, api_error("bad_data", text)), answer(status, api_error(text, "x")),
        answer(status, "x", "Retry-After: " + value + "\r\n"),
        answer(status, "x", "Location: http://h/" + value + "\r\n"),
        answer(status, "x", "Content-Encoding: " + value + "\r\n"),
        answer(status, "x", "Transfer-Encoding: " + value + "\r\n"),
        answer(status, "x", text + ": x\r\n"), answer(value, one_series), text + "\r\n\r\n",
        answer(status, R"({"status":"success","data":{"resultType":")" + text + "\"}}"),
        answer(status,
               R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{")" +
                   text + R"(":"1",")" + text + R"(":"2"},"value":[1,"1"]}]}})"),
        answer(status, R"({"status":"success","data":{"resultType":"vector","result":[{"metric":)"
                       R"({},"value":[1,")" +
                           text + R"("]}]}})"),
        answer(status, R"({"status":"success","data":{"resultType":"vector","result":[]},)"
                       R"("warnings":[")" +
                           text + R"("],"infos":[")" + text + "\"]}"));
    prometheus::ClientConfig config;
    config.http.protection.retry.attempts = 1;
    Peers peers(answer_and_close(bytes), config);
    const QueryPtr query = peers.run();
    if (query->result->has_error()) {
        CAPTURE(query->error().describe().substr(0, 300));
        CHECK(is_presentable(query->error().describe(), 2000));
    } else {
        for (const std::string& warning : (*query->result)->warnings)
            CHECK(is_presentable(warning, config.answer.max_warning_bytes));
        for (const std::string& info : (*query->result)->infos)
            CHECK(is_presentable(info, config.answer.max_warning_bytes));
    }
}
