// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/detail/answer_receiver.hpp"

#include "unit/prometheus/answer_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;
using prometheus::detail::AnswerReceiver;
using prometheus::detail::OwnedSink;
using prometheus::testing::copy_of;
using prometheus::testing::Series;

namespace {

const std::string receiver_endpoint = "http://prometheus:9090";

http::Response received_head(int status, std::string content_type) {
    http::Response head;
    head.status = status;
    head.content_type = std::move(content_type);
    return head;
}

/// What came of an answer: its series and contents, or its error.
struct Received {
    std::vector<Series> series{};
    std::size_t bytes = 0;
    std::vector<std::string> warnings{};
    Error error{};

    friend bool operator==(const Received&, const Received&) = default;
};

Received outcome_of(const Result<AnswerInfo>& answer, std::vector<Series> series) {
    Received received;
    if (answer.has_error()) {
        received.error = answer.error();
        return received;
    }
    received.series = std::move(series);
    received.bytes = answer->bytes;
    received.warnings = answer->warnings;
    return received;
}

/// The answer as one piece, by `decode_response`.
Received read_whole(http::Response head, const std::string& body, const AnswerLimits& limits) {
    std::vector<Series> series;
    head.body = body;
    const auto answer = decode_response(
        head, limits, [&](const SeriesView& view) { series.push_back(copy_of(view)); },
        receiver_endpoint);
    return outcome_of(answer, std::move(series));
}

/// The answer as it arrives: `cut` bytes, then at most `piece` at a time.
Received receive(const http::Response& head, std::string_view body, const AnswerLimits& limits,
                 std::size_t cut, std::size_t piece) {
    const auto series = std::make_shared<std::vector<Series>>();
    AnswerReceiver receiver(
        limits, OwnedSink([series](const SeriesView& view) { series->push_back(copy_of(view)); }));
    bool wants_more = true;
    for (std::size_t bytes = cut; wants_more && !body.empty(); bytes = piece) {
        // A copy of its own, so that a sanitizer sees a view that outlives its piece.
        const std::string part(body.substr(0, bytes));
        body.remove_prefix(part.size());
        wants_more = receiver.write(part);
    }
    return outcome_of(receiver.finish(head, receiver_endpoint), std::move(*series));
}

const std::string received_answer =
    R"({"status":"success","data":{"resultType":"matrix","result":[)"
    R"({"metric":{"__name__":"a","pod":"p-\u00e9\n"},"values":[[1700000000.123,"1"],[1700000015.123,"NaN"]]},)"
    R"({"metric":{"__name__":"b","pod":"p-0"},"values":[[1700000000.123,"0.25"],[1700000015.123,"1e3"]]},)"
    R"({"metric":{"__name__":"b","pod":"p-1"},"values":[[1700000000.123,"0.5"],[1700000015.123,"+Inf"]]}]},)"
    R"("warnings":["é is partial"]})";

} // namespace

TEST_CASE("an answer that arrives in pieces has the series or the error that it has as a whole") {
    const std::string long_text(300, 'x');
    const std::vector<std::string> bodies{
        received_answer,
        // Cut off, once in the middle of a character.
        received_answer.substr(0, received_answer.size() - 1),
        received_answer.substr(0, received_answer.find("\xC3") + 1),
        received_answer.substr(0, 100),
        received_answer + " ",
        received_answer + "x",
        "",
        " ",
        "null",
        "nonsense",
        "<!DOCTYPE html><html><form action=/login>Sign in</form></html>",
        long_text.substr(0, 240) + "<HTML>",
        long_text.substr(0, 255) + "<html>",
        long_text.substr(0, 196) + "\xE2\x82\xAC\xE2\x82\xAC",
        R"({"status":"error","errorType":"timeout","error":"query timed out"})",
        R"({"status":"success"})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"1"},"value":[1,"2"]},{"metric":{"a":"1"},"value":[1,"2"]}]}})",
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"x":"a value that is too long for it"},"value":[1,"2"]}]}})",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    };
    AnswerLimits limits;
    limits.max_label_value_bytes = 24;
    for (const char* const type : {"application/json", "text/html; charset=utf-8"}) {
        const http::Response head = received_head(200, type);
        for (const std::string& body : bodies) {
            CAPTURE(body, std::string(type));
            const Received whole = read_whole(head, body, limits);
            for (std::size_t cut = 1; cut <= body.size(); ++cut)
                CHECK(receive(head, body, limits, cut, body.size()) == whole);
            for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U})
                CHECK(receive(head, body, limits, piece, piece) == whole);
        }
    }
    CHECK(read_whole(received_head(200, ""), received_answer, limits).series.size() == 3);
}

TEST_CASE("a receiver passes the error of an answer that is not 2xx on, whose body it never had") {
    http::Response head = received_head(503, "text/plain");
    head.body = "upstream is down";
    AnswerReceiver receiver({}, OwnedSink([](const SeriesView&) { FAIL("there is no series"); }));
    const auto answer = receiver.finish(head, receiver_endpoint);
    REQUIRE(answer.has_error());
    CHECK(answer.error() == to_error(head, receiver_endpoint));
}

TEST_CASE("a rejected answer is not read further") {
    AnswerReceiver receiver({}, OwnedSink([](const SeriesView&) {}));
    CHECK(receiver.write(R"({"status":)"));
    // Rejected here, but so far there is little to quote.
    CHECK(receiver.write(R"("neither",)"));
    CHECK_FALSE(receiver.write(std::string(300, ' ')));
    CHECK_FALSE(receiver.write(received_answer));

    AnswerReceiver thrown(
        {}, OwnedSink([](const SeriesView&) { throw std::runtime_error("no room"); }));
    CHECK_FALSE(thrown.write(received_answer));
    const auto answer = thrown.finish(received_head(200, ""), receiver_endpoint);
    REQUIRE(answer.has_error());
    CHECK(answer.error().is(Errc::internal));
    CHECK(answer.error().message == "processing the answer failed: no room");
}

TEST_CASE("a sink of any type is owned until its receiver is destroyed") {
    /// It can only be moved.
    struct Counter {
        std::unique_ptr<int> own = std::make_unique<int>(0);
        std::shared_ptr<int> series;
        void operator()(const SeriesView&) { *series = ++*own; }
    };
    const auto series = std::make_shared<int>(0);
    {
        Counter counter;
        counter.series = series;
        AnswerReceiver receiver({}, OwnedSink(std::move(counter)));
        CHECK(receiver.write(received_answer));
        CHECK(series.use_count() == 2);
    }
    CHECK(series.use_count() == 1);
    CHECK(*series == 3);
}
