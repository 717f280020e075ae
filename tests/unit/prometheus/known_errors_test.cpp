// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/api_error.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;

namespace {

/// A text as Go's %q writes it, except that it escapes no other characters than these two.
std::string go_quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        quoted += c;
    }
    return quoted + "\"";
}

/// An error whose text repeats the query between two parts.
struct QuotingError {
    int status;
    std::string type, before, after;
    Errc code;

    ApiError about(const std::string& query) const { return {type, before + query + after}; }
};

/// Texts around a query in double quotes. Those of VictoriaMetrics are as 1.79.5 sends them.
const std::vector<QuotingError> quoting_errors{
    {422, "422", "error when executing query=",
     " for (time=1795938617991, step=300000): cannot select more than -search.maxSamplesPerQuery=3 "
     "samples; possible solutions: to increase the -search.maxSamplesPerQuery",
     Errc::too_costly},
    {422, "422", "error when exporting data for query=",
     " on the time range (start=1795938587001, end=1795938647000): cannot fetch data for "
     "\"filters=[{job=\\\"a\\\"}]\": search error after reading 0 data blocks: error when "
     "searching for tagFilters=[{job=\"a\"}] on the time range: error when searching tsids: the "
     "number of matching timeseries exceeds 3; either narrow down the search",
     Errc::too_costly},
    {422, "422", "error when executing query=",
     " for (time=1795938622606, step=300000): too many points for the given step=1; cannot exceed "
     "-search.maxPointsPerTimeseries=30000",
     Errc::rejected},
    {503, "503", "error when executing query=",
     " for (time=1, step=300000): timeout exceeded during query execution: 30 seconds",
     Errc::unavailable},
    {400, "bad_data", "invalid parameter \"query\": 1:5: parse error: unexpected string ",
     " in label matching, expected \"}\"", Errc::rejected},
    {422, "execution", "found duplicate series for the match group {model_name=",
     "} on the right hand-side of the operation: [{__name__=\"a\"}, {__name__=\"b\"}]"
     ";many-to-many matching not allowed: matching labels must be unique on one side",
     Errc::rejected},
    {422, "execution", "expanding series: proxy Series(): matcher {a=",
     "}: rpc error: code = DeadlineExceeded desc = context deadline exceeded", Errc::unavailable},
    {500, "internal", "query ", " failed", Errc::unavailable},
};

std::vector<std::string> all_known_texts() {
    std::vector<std::string> texts;
    for (const prometheus::detail::KnownError& known : prometheus::detail::known_errors)
        texts.emplace_back(known.begin);
    for (const prometheus::detail::KnownError& known : prometheus::detail::mimir_errors)
        texts.push_back("(err-mimir-" + std::string(known.begin));
    for (const prometheus::detail::KnownError& known : prometheus::detail::regexp_errors)
        texts.push_back("error parsing regexp: " + std::string(known.begin));
    return texts;
}

} // namespace

TEST_CASE("an error of a server is classified by its cause") {
    struct Case {
        int status;
        std::string type, text;
        Errc code;
    };
    for (
        const auto& [status, type, text, code] : std::vector<Case>{
            // Prometheus; the first four are answers of 2.42.
            {422, "execution",
             "query processing would load too many samples into memory in query execution",
             Errc::too_costly},
            {422, "execution", "expanding series: context deadline exceeded", Errc::unavailable},
            {400, "bad_data",
             "invalid parameter \"query\": 1:4: parse error: error parsing regexp: missing closing "
             "): `^(?:((((x)$`",
             Errc::rejected},
            {400, "bad_data",
             "invalid parameter \"query\": 1:1: parse error: unknown function with name \"now\"",
             Errc::rejected},
            {400, "bad_data",
             "invalid parameter \"query\": 1:4: parse error: error parsing regexp: expression "
             "nests "
             "too deeply: `^(?:(a|b))$`",
             Errc::too_costly},
            {503, "timeout", "query timed out in expression evaluation", Errc::unavailable},
            {422, "execution", "query timed out in expression evaluation", Errc::unavailable},
            {503, "canceled", "query was canceled in query execution", Errc::unavailable},
            {422, "execution",
             "remote_read: remote server http://far/read returned HTTP status 400 Bad Request: "
             "exceeded sample limit (50000000)",
             Errc::too_costly},
            {422, "execution",
             "remote_read: Post \"http://far/read\": dial tcp 10.0.0.1:80: connect: connection "
             "refused",
             Errc::unavailable},
            {422, "execution", "vector cannot contain metrics with the same labelset",
             Errc::rejected},
            // Thanos; the first is from its end-to-end tests.
            {422, "execution",
             "expanding series: proxy Series(): rpc error: code = Aborted desc = receive series "
             "from Addr: store-gw-1:9091 LabelSets: {ext1=\"value1\", replica=\"1\"} MinTime: 1 "
             "MaxTime: 2: rpc error: code = ResourceExhausted desc = fetch series for block 01GZ: "
             "expanded matching posting: get postings: rpc error: code = ResourceExhausted desc = "
             "exceeded bytes limit while fetching postings: limit 1 violated (got 8)",
             Errc::too_costly},
            {422, "execution",
             "proxy Series(): rpc error: code = Aborted desc = fetch series for block 01GZ: "
             "exceeded chunks limit: limit 1 violated (got 2)",
             Errc::too_costly},
            {422, "execution",
             "expanding series: proxy Series(): rpc error: code = Unknown desc = failed to send "
             "series: limit 100 violated (got 101)",
             Errc::too_costly},
            {422, "execution",
             "expanding series: proxy Series(): rpc error: code = Aborted desc = receive series "
             "from Addr: sidecar:10901: rpc error: code = DeadlineExceeded desc = context deadline "
             "exceeded",
             Errc::unavailable},
            {422, "execution",
             "expanding series: proxy Series(): rpc error: code = Aborted desc = No StoreAPIs "
             "matched for this query",
             Errc::unavailable},
            {422, "execution",
             "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error\"",
             Errc::unavailable},
            {500, "internal", "rpc error: code = Canceled desc = context canceled",
             Errc::unavailable},
            // Mimir and Cortex.
            {422, "execution",
             "the query exceeded the maximum number of series (limit: 100000 series) "
             "(err-mimir-max-series-per-query). Consider reducing the time range. Otherwise, to "
             "adjust the related per-tenant limit, configure "
             "-querier.max-fetched-series-per-query",
             Errc::too_costly},
            {422, "execution",
             "the query exceeded the maximum allowed estimated amount of memory consumed by a "
             "single query (limit: 11 bytes) "
             "(err-mimir-max-estimated-memory-consumption-per-query)",
             Errc::too_costly},
            {400, "bad_data",
             "the raw query size in bytes exceeds the limit (query size: 200, limit: 100) "
             "(err-mimir-max-query-expression-size-bytes)",
             Errc::too_costly},
            {422, "execution",
             "the total query time range exceeds the limit (err-mimir-max-total-query-length)",
             Errc::rejected},
            {422, "execution", "the request has been blocked (err-mimir-query-blocked)",
             Errc::rejected},
            {422, "execution",
             "failed to fetch some blocks (err-mimir-store-consistency-check-failed)",
             Errc::unavailable},
            {422, "execution", "the query hit the max number of series limit (limit: 1 series)",
             Errc::too_costly},
            // VictoriaMetrics; the first is an answer of 1.79.5.
            {422, "422",
             "too long query; got 305 bytes; mustn't exceed `-search.maxQueryLen=200` bytes",
             Errc::too_costly},
            {422, "422",
             "error when executing query=\"sum(x)\": not enough memory for processing 10 data "
             "points across 5 time series",
             Errc::too_costly},
            {429, "429",
             "couldn't start executing the request in 10.000 seconds, since "
             "-search.maxConcurrentRequests=1 concurrent requests are executed",
             Errc::unavailable},
            // Words that are no code.
            {422, "execution", "DeadlineExceeded", Errc::rejected},
            {422, "execution", "rate limit exceeded, too many, maximum, hit limit", Errc::rejected},
            {422, "execution", "not a code = ResourceExhausted", Errc::rejected},
            {500, "", "too many open files", Errc::unavailable},
            {422, "", "", Errc::rejected},
        }) {
        INFO(status << " " << type << " " << text);
        CHECK(to_string(classify(status, {type, text})) == to_string(code));
    }
}

TEST_CASE("each known text counts where a cause begins, and the innermost one decides") {
    const std::vector<std::string> texts = all_known_texts();
    for (const std::string& outer : texts) {
        const auto* const alone =
            prometheus::detail::find_known_error("query failed: " + outer + "3: 4");
        REQUIRE(alone != nullptr);
        CHECK(prometheus::detail::find_known_error(outer) == alone);
        const bool is_mimir = outer.starts_with("(");
        CHECK((prometheus::detail::find_known_error("x" + outer) == alone) == is_mimir);
        CHECK(prometheus::detail::find_known_error("a \"" + outer + "\" b") == nullptr);
        CHECK(prometheus::detail::find_known_error("a: `" + outer + "` b") == nullptr);
        CHECK(prometheus::detail::find_known_error("1:2: parse error: " + outer) ==
              (outer.starts_with("error parsing") ? alone : nullptr));
        for (const std::string& inner : texts) {
            if (outer.starts_with("error parsing"))
                continue; // The last that is read.
            CHECK(prometheus::detail::find_known_error(outer + ": " + inner) ==
                  prometheus::detail::find_known_error(inner));
        }
    }
}

TEST_CASE("no text of a quoted query changes what an error means") {
    std::vector<std::string> pieces = all_known_texts();
    for (const char* piece :
         {"\"", "\\", "`", ": ", " desc = ", "'", "{", "}", "parse error: ",
          "rpc error: code = ResourceExhausted desc = ", "exceeded", "\xe2\x82\xac", ")"})
        pieces.emplace_back(piece);
    std::mt19937 random(20240711); // NOLINT: the same in each run
    std::uniform_int_distribution<std::size_t> any_piece(0, pieces.size() - 1);
    std::uniform_int_distribution<int> any_length(0, 8);
    for (int i = 0; i < 3000; ++i) {
        std::string query;
        for (int length = any_length(random); length > 0; --length)
            query += pieces[any_piece(random)];
        for (const QuotingError& error : quoting_errors) {
            INFO(error.before << query << error.after);
            REQUIRE(to_string(classify(error.status, error.about(go_quoted(query)))) ==
                    to_string(error.code));
        }
        // Go's regular expressions are quoted without escapes.
        const ApiError regexp{
            "bad_data", "invalid parameter \"query\": 1:4: parse error: error parsing regexp: "
                        "missing closing ): `^(?:" +
                            query + ")$`"};
        REQUIRE(classify(400, regexp) == Errc::rejected);
    }
}

TEST_CASE("the message of an error says what to do, and which limit can be raised") {
    const auto message = [](int status, const std::string& type, const std::string& text) {
        return to_error({type, text}, status).message;
    };
    CHECK_THAT(
        message(422, "execution", "query processing would load too many samples into memory"),
        EndsWith("; query fewer models at once or raise --query.max-samples (Mimir, Cortex: "
                 "-querier.max-samples)"));
    CHECK_THAT(
        message(422, "execution", "x (err-mimir-max-series-per-query)"),
        EndsWith("query fewer models at once or raise -querier.max-fetched-series-per-query"));
    CHECK_THAT(message(413, "", "code = Aborted"),
               EndsWith("; query fewer models at once or raise the server's limits"));
    CHECK_THAT(message(400, "bad_data", "error parsing regexp: expression too large: `a`"),
               EndsWith("; query fewer models at once or raise the server's limits"));
    CHECK_THAT(message(422, "execution", "a: rpc error: code = Unavailable desc = b"),
               EndsWith("; the server may recover by itself"));
    CHECK_THAT(message(400, "bad_data", "x"), EndsWith("; the same query will be rejected again"));
}

TEST_CASE("the message of a long error has its beginning and its cause") {
    const std::string lengthy =
        "error when executing query=" + go_quoted(std::string(10'000, 'm') + "\xe2\x82\xac") +
        " for (time=1): the number of matching timeseries exceeds 3\x1b[2J";
    for (std::size_t bound = 120; bound < 126; ++bound) {
        const Error error = to_error({"422", lengthy}, 422, "http://vm:8428", bound);
        CHECK(error.is(Errc::too_costly));
        CHECK_THAT(error.message, ContainsSubstring("HTTP 422 422: error when executing query="));
        CHECK_THAT(error.message, ContainsSubstring("timeseries exceeds 3 [2J; query fewer"));
        CHECK(error.message.size() < 300);
    }
    for (std::size_t size = 0; size < 40; ++size) {
        std::string euros;
        for (std::size_t i = 0; i < size; ++i)
            euros += "\xe2\x82\xac";
        const std::string cut = prometheus::detail::clean_middle(euros, 20);
        CHECK(cut.size() <= 20);
        CHECK_THAT(cut, !ContainsSubstring("?"));
        CHECK((cut == euros) == (euros.size() <= 20));
    }
}
