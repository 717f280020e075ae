// SPDX-License-Identifier: Apache-2.0
//
// Servers that answer nonsense: what a user of a collector gets then.
#include "wva_metrics/http/gzip.hpp"

#include "support/gzip_bytes.hpp"
#include "support/misbehaving_prometheus.hpp"
#include "support/scripted_server.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;
using End = Misbehaviour::End;

namespace {

struct WrongAnswer {
    std::string name;
    Misbehaviour how;
    Errc code;
    /// A part of the error's text.
    std::string said;
    /// The connection may be used again.
    bool is_kept = false;
};

const std::string ok_line = "HTTP/1.1 200 OK\r\n";
const std::string until_close = ok_line + "Connection: close\r\n\r\n";
const std::string chunked_start = ok_line + "Transfer-Encoding: chunked\r\n\r\n";
const std::string one_value =
    R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000,"0"]}]}})";
const std::string in_gzip = "Content-Encoding: gzip\r\n";

std::string vector_of(const std::string& sample) {
    return api_answer("vector", R"([{"metric":{},"value":)" + sample + "}]");
}

std::vector<WrongAnswer> answers_that_are_no_answer() {
    const std::string half = one_value.substr(0, one_value.size() / 2);
    return {
        {"malformed JSON", {http_answer(R"({"status":"success",,})")}, Errc::bad_response, "JSON"},
        {"an HTML page with status 200, as of a proxy's login",
         {http_answer("<!DOCTYPE html><html>\x1b[2J Sign in</html>")},
         Errc::bad_response,
         "perhaps a login page or a proxy's, and begins: <!DOCTYPE html><html>"},
        {"JSON that is cut off by the end of the connection",
         {until_close + half, End::close},
         Errc::bad_response,
         "cut off"},
        {"a body shorter than its Content-Length",
         {ok_line + "Content-Length: 1000\r\n\r\n" + half, End::close},
         Errc::unreachable,
         ""},
        {"a body shorter than its Content-Length, and a reset",
         {ok_line + "Content-Length: 1000\r\n\r\n" + half, End::reset},
         Errc::unreachable,
         ""},
        {"a chunked body without its end",
         {chunked_start + "1000\r\n" + half, End::close},
         Errc::unreachable,
         ""},
        {"a Content-Length of 10 GB",
         {ok_line + "Content-Length: 10000000000\r\n\r\n"},
         Errc::too_large,
         "limits.max_body_bytes"},
        {"chunks without end",
         {chunked_start, End::close, "400\r\n" + std::string(1024, ' ') + "\r\n"},
         Errc::too_large,
         "limits.max_body_bytes"},
        {"a chunk extension without end",
         {chunked_start + "1;x=", End::close, std::string(4096, 'x')},
         Errc::too_large,
         "limits.max_buffer_bytes"},
        {"trailers without end",
         {chunked_start + "0\r\n", End::close, "X: y\r\n"},
         Errc::too_large,
         "limits.max_buffer_bytes"},
        {"a gzip bomb",
         {http_answer(gzip(std::string(std::size_t{20} << 20, '0')), in_gzip)},
         Errc::too_large,
         "decompressed, exceeds 100000 (limits.max_body_bytes)"},
        {"gzip that is cut off",
         {http_answer(gzip(one_value).substr(0, 40), in_gzip)},
         Errc::bad_response,
         "truncated"},
        {"gzip that is corrupt",
         {http_answer("not compressed", in_gzip)},
         Errc::bad_response,
         "incorrect header check"},
        {"gzip twice",
         {http_answer(gzip(gzip(one_value)), in_gzip + in_gzip)},
         Errc::bad_response,
         "twice"},
        {"brotli, which was not offered",
         {http_answer(one_value, "Content-Encoding: br\r\n")},
         Errc::bad_response,
         "did not allow"},
        {"a million nested arrays, of which a part fits into the limit",
         {http_answer(std::string(90'000, '['))},
         Errc::bad_response,
         ""},
        {"nested arrays where a series should be",
         {api_answer("vector", std::string(40'000, '[') + std::string(40'000, ']'))},
         Errc::bad_response,
         ""},
        {"nested arrays in a member that is not known",
         {api_answer("vector", "[]",
                     R"(,"x":)" + std::string(40'000, '[') + std::string(40'000, ']'))},
         Errc::too_large,
         "answer.max_depth"},
        {"zeros instead of series",
         {api_answer(
             "vector", "[0" +
                           [] {
                               std::string zeros;
                               for (int i = 0; i < 40'000; ++i)
                                   zeros += ",0";
                               return zeros;
                           }() +
                           "]")},
         Errc::bad_response,
         ""},
        {"the member \"status\" twice",
         {http_answer(R"({"status":"error","status":"success","data":{"resultType":"vector",)"
                      R"("result":[]}})")},
         Errc::bad_response,
         "status"},
        {"a value that is a JSON number",
         {vector_of("[1700000000,5]")},
         Errc::bad_response,
         "not a quoted number"},
        {"a value that is null",
         {vector_of("[1700000000,null]")},
         Errc::bad_response,
         "not a quoted number"},
        {"a sample without a value", {vector_of("[1700000000]")}, Errc::bad_response, ""},
        {"a sample that is empty", {vector_of("[]")}, Errc::bad_response, ""},
        {"a time that is infinite", {vector_of(R"([1e400,"0"])")}, Errc::bad_response, ""},
        {"a time before 1970", {vector_of(R"([-1,"0"])")}, Errc::bad_response, ""},
        {"a time in the year 300000", {vector_of(R"([9e12,"0"])")}, Errc::bad_response, ""},
        {"a string where series are expected",
         {api_answer("string", R"([1700000000,"up"])")},
         Errc::bad_response,
         "is empty",
         true},
        {"a series twice",
         {api_answer("vector", R"([{"metric":{"pod":"p"},"value":[1700000000,"1"]},)"
                               R"({"metric":{"pod":"p"},"value":[1700000000,"2"]}])")},
         Errc::bad_response,
         "twice"},
        {"a type of result that does not exist",
         {api_answer("histogram", "[]")},
         Errc::bad_response,
         ""},
        {"an empty body", {http_answer("")}, Errc::bad_response, "empty"},
        {"no HTTP", {"garbage\r\n\r\n"}, Errc::bad_response, ""},
    };
}

} // namespace

TEST_CASE("a last good value survives every wrong answer, and the next right one replaces it") {
    for (const WrongAnswer& wrong : answers_that_are_no_answer()) {
        CAPTURE(wrong.name);
        MisbehavingPrometheus prometheus;
        prometheus.config.client.http.decompressor = http::make_gzip_decompressor();
        REQUIRE(prometheus.rate() == Catch::Approx(60));
        const std::size_t queries = prometheus.server.requests().size();

        prometheus.expire();
        prometheus.server.misbehave(wrong.how);
        const Result<OptimizerSnapshot> stale = prometheus.collect();
        REQUIRE(stale.has_value());
        CHECK(stale->source() == Source::stale_on_error);
        CHECK((*stale)->arrival_rate_per_minute.value() == Catch::Approx(60));
        // A query is not sent again, because it would not get a better answer at once; except one whose
        // answer was cut off, at most twice.
        const std::size_t repeated = wrong.code == Errc::unreachable ? 2 : 0;
        CHECK(prometheus.server.misbehaved() <= queries + repeated);

        const Error error = prometheus.collector().health().last_error;
        CAPTURE(error.describe());
        CHECK(error.is(wrong.code));
        CHECK_THAT(error.message, ContainsSubstring(wrong.said));
        CHECK(error.message.size() < 1000);
        CHECK(error.message.find('\x1b') == std::string::npos);
        CHECK(error.endpoint == prometheus.server.url());

        // Where nothing is known, the caller gets the error, and nothing is cached.
        const std::size_t entries = prometheus.collector().cache().size();
        const Result<OptimizerSnapshot> unknown =
            prometheus.collect(variant_of("other", "other/model"));
        REQUIRE(unknown.has_error());
        CHECK(unknown.error().is(wrong.code));
        CHECK(prometheus.collector().cache().size() == entries);

        prometheus.server.behave();
        prometheus.fake.clear();
        prometheus.set_load({pod_a}, 2);
        prometheus.expire();
        const Result<OptimizerSnapshot> renewed = prometheus.collect();
        REQUIRE(renewed.has_value());
        CHECK(renewed->source() == Source::backend);
        CHECK((*renewed)->arrival_rate_per_minute.value() == Catch::Approx(120));
        CHECK((prometheus.server.reused() > 0) == wrong.is_kept);
    }
}
