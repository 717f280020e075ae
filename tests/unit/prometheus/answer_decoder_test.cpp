// SPDX-License-Identifier: Apache-2.0
#include "unit/prometheus/answer_fixture.hpp"

#include "wva_metrics/prometheus/answer_decoder.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;
using namespace wva_metrics::prometheus::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a vector is decoded to its series with all labels, in the order of the answer") {
    const Decoded decoded = decode(success(
        "vector",
        R"([{"metric":{"__name__":"m","pod":"p1","namespace":"a","model_name":"x/y"},"value":[1700000000.123,"0.25"]},
                      {"metric":{"model_name":"x/y","instance":"10.0.0.1:8000","pod":"p2"},"value":[1700000000.123,"7"]},
                      {"metric":{},"value":[1700000001,"-3"]}])"));
    REQUIRE(decoded.ok());
    CHECK(
        decoded.series ==
        std::vector{
            series_of({{"__name__", "m"}, {"pod", "p1"}, {"namespace", "a"}, {"model_name", "x/y"}},
                      0.25, 1700000000.123),
            series_of({{"model_name", "x/y"}, {"instance", "10.0.0.1:8000"}, {"pod", "p2"}}, 7,
                      1700000000.123),
            series_of({}, -3, 1700000001)});
    CHECK(decoded.info->series == 3);
    CHECK(decoded.info->skipped == 0);
    CHECK(decoded.info->warnings.empty());
}

TEST_CASE("an empty vector is an answer without series, not an error and not a zero") {
    for (const char* type : {"vector", "matrix"}) {
        const Decoded decoded = decode(success(type, "[]"));
        REQUIRE(decoded.ok());
        CHECK(decoded.series.empty());
        CHECK(decoded.info->series == 0);
    }
}

TEST_CASE("a scalar is one series without labels, and a string is counted but not emitted") {
    const Decoded scalar = decode(success("scalar", R"([1700000000.5,"42"])"));
    REQUIRE(scalar.ok());
    CHECK(scalar.series == std::vector{series_of({}, 42, 1700000000.5)});

    const Decoded text = decode(success("string", R"([1700000000.5,"42"])"));
    REQUIRE(text.ok());
    CHECK(text.series.empty());
    CHECK(text.info->skipped == 1);

    const std::string long_text(2000, 'x');
    CHECK(decode(success("string", "[1,\"" + long_text + "\"]")).ok());
}

TEST_CASE("the members of an answer may have any order, with the result's type after the result") {
    std::array<std::string, 3> envelope{R"("status":"success")", "", R"("warnings":["w"])"};
    std::array<std::string, 3> data{"", "", R"("stats":{"samples":[1,{"status":"error"}]})"};
    std::array<std::string, 3> series{R"("metric":{"pod":"p"})", "", R"("extra":[{"value":null}])"};
    using Order = std::array<std::size_t, 3>;
    const auto in_order = [](const std::array<std::string, 3>& members, const Order& order) {
        return "{" + members[order[0]] + "," + members[order[1]] + "," + members[order[2]] + "}";
    };
    std::vector<Order> orders;
    Order order{0, 1, 2};
    do
        orders.push_back(order);
    while (std::next_permutation(order.begin(), order.end()));

    struct Case {
        std::string type, value;
    };
    for (const Case& tried :
         {Case{"vector", R"("value":[5,"6"])"}, Case{"matrix", R"("values":[[5,"6"]])"}}) {
        series[1] = tried.value;
        data[0] = R"("resultType":")" + tried.type + "\"";
        for (const Order& in_series : orders) {
            data[1] = R"("result":[)" + in_order(series, in_series) + "]";
            for (const Order& in_data : orders) {
                envelope[1] = R"("data":)" + in_order(data, in_data);
                for (const Order& in_envelope : orders) {
                    const std::string body = in_order(envelope, in_envelope);
                    INFO(body);
                    const Decoded decoded = decode(body);
                    REQUIRE(decoded.ok());
                    REQUIRE(decoded.series == std::vector{series_of({{"pod", "p"}}, 6, 5)});
                    REQUIRE(decoded.info->warnings == std::vector<std::string>{"w"});
                }
            }
        }
    }
    for (const char* type : {"scalar", "string"}) {
        const Decoded late = decode(R"({"data":{"result":[5,"6"],"resultType":")" +
                                    std::string(type) + R"("},"status":"success"})");
        REQUIRE(late.ok());
        CHECK(late.info->series + late.info->skipped == 1);
    }
    CHECK_FALSE(
        decode(R"({"data":{"result":[5,"six"],"resultType":"scalar"},"status":"success"})").ok());
}

TEST_CASE("everything that the API does not specify is refused") {
    const std::string series = R"({"metric":{},"value":[1,"2"]})";
    const std::string range = R"({"metric":{},"values":[[1,"2"]]})";
    for (
        const std::string& body : std::vector<std::string>{
            // The envelope.
            "null", "1", "\"success\"", "[]", "{}", R"({"status":"success"})",
            R"({"status":"success","data":null})", R"({"status":"success","data":[]})",
            R"({"status":"success","data":"x"})", R"({"status":"success","data":7})",
            R"({"status":"success","data":{}})",
            R"({"status":"fine","data":{"resultType":"vector","result":[]}})",
            R"({"status":true,"data":{"resultType":"vector","result":[]}})",
            R"({"status":null,"data":{"resultType":"vector","result":[]}})",
            R"({"data":{"resultType":"vector","result":[]}})",
            R"({"status":"success","status":"success","data":{"resultType":"vector","result":[]}})",
            R"({"status":"success","data":{"resultType":"vector","result":[]},"data":{"resultType":"vector","result":[]}})",
            R"({"status":"error","error":5})", R"({"status":"error","errorType":[]})",
            R"({"status":"success","warnings":"w","data":{"resultType":"vector","result":[]}})",
            R"({"status":"success","warnings":[1],"data":{"resultType":"vector","result":[]}})",
            R"({"status":"success","infos":[["w"]],"data":{"resultType":"vector","result":[]}})",
            R"({"status":"success","isPartial":"no","data":{"resultType":"vector","result":[]}})",
            // The data.
            R"({"status":"success","data":{"resultType":"vector"}})",
            R"({"status":"success","data":{"result":[]}})",
            R"({"status":"success","data":{"resultType":"vector","resultType":"vector","result":[]}})",
            R"({"status":"success","data":{"resultType":"vector","result":[],"result":[]}})",
            R"({"status":"success","data":{"resultType":7,"result":[]}})", success("streams", "[]"),
            success("vector", "null"), success("vector", "{}"), success("vector", "\"\""),
            success("vector", "true"),
            // A result that does not match its type.
            success("vector", "[1,\"2\"]"), success("matrix", "[1,\"2\"]"), success("scalar", "[]"),
            success("string", "[]"), success("scalar", "[" + series + "]"),
            success("string", "[" + series + "]"), success("vector", "[" + range + "]"),
            success("matrix", "[" + series + "]"), success("scalar", "[1]"),
            success("scalar", "[1,2]"), success("scalar", "[1,\"2\",3]"),
            success("scalar", "[1,\"two\"]"), success("vector", "[" + series + ",1]"),
            success("vector", "[1," + series + "]"),
            success("vector", "[" + series + "," + range + "]"),
            // A series.
            success("vector", "[null]"), success("vector", "[[]]"), success("vector", "[\"x\"]"),
            success("vector", "[{}]"), success("vector", R"([{"metric":{}}])"),
            success("vector", R"([{"value":[1,"2"]}])"),
            success("vector", R"([{"metric":null,"value":[1,"2"]}])"),
            success("vector", R"([{"metric":[],"value":[1,"2"]}])"),
            success("vector", R"([{"metric":"x","value":[1,"2"]}])"),
            success("vector", R"([{"metric":{"pod":1},"value":[1,"2"]}])"),
            success("vector", R"([{"metric":{"pod":null},"value":[1,"2"]}])"),
            success("vector", R"([{"metric":{"pod":{}},"value":[1,"2"]}])"),
            success("vector", R"([{"metric":{"pod":["x"]},"value":[1,"2"]}])"),
            success("vector", R"([{"metric":{"pod":"a","pod":"b"},"value":[1,"2"]}])"),
            success("vector", R"([{"metric":{"pod":"a","job":"b","pod":"c"},"value":[1,"2"]}])"),
            success("vector", R"([{"metric":{},"metric":{},"value":[1,"2"]}])"),
            success("vector", R"([{"metric":{},"value":[1,"2"],"value":[1,"3"]}])"),
            success("matrix", R"([{"metric":{},"values":[[1,"2"]],"values":[]}])"),
            success("matrix", R"([{"metric":{},"values":{}}])"),
            success("matrix", R"([{"metric":{},"values":[1,"2"]}])"),
            success("matrix", R"([{"metric":{},"values":[[1,"2",3]]}])"),
            // Not JSON, or more than one.
            "<html><body>Sign in</body></html>", "upstream connect error",
            success("vector", "[]") + "x", success("vector", "[]") + success("vector", "[]"),
            "\xEF\xBB\xBF" + success("vector", "[]"), success("vector", "[" + series + ",]"),
            success("vector", "[/*none*/]"),
            success("vector", R"([{"metric":{"pod":")"
                              "\xff"
                              R"("},"value":[1,"2"]}])"),
            success("vector", R"([{"metric":{"pod":"\ud800"},"value":[1,"2"]}])"),
            success("vector", R"([{"metric":{"pod":"a
b"},"value":[1,"2"]}])")}) {
        INFO(body);
        const Decoded decoded = decode(body);
        CHECK_FALSE(decoded.ok());
        CHECK(decoded.code() == Errc::bad_response);
        CHECK_FALSE(decoded.error.message.empty());
    }
}

TEST_CASE("unknown members are skipped, whatever they contain") {
    const Decoded decoded = decode(
        R"({"trace":{"duration":1e400,"children":[{"data":[null,true,-5]}]},"isPartial":false,"status":"success",)"
        R"("data":{"resultType":"vector","stats":{"status":"error","result":[1,2,3]},"result":[{"group":7,"metric":{"pod":"p"},)"
        R"("other":{"value":["x"]},"value":[1,"2"]}],"analysis":null},"warnings":null,"infos":null,"error":null,"errorType":null})");
    REQUIRE(decoded.ok());
    CHECK(decoded.series == std::vector{series_of({{"pod", "p"}}, 2, 1)});
    CHECK(decoded.info->warnings.empty());
}

TEST_CASE("warnings and infos are separate, and a partial answer has a warning") {
    const std::string body =
        R"({"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]},"warnings":["a\nb","c"],"infos":["d"]})";
    const Decoded decoded = decode(body);
    REQUIRE(decoded.ok());
    CHECK(decoded.info->bytes == body.size());
    REQUIRE(decoded.info->warnings.size() == 3);
    CHECK_THAT(decoded.info->warnings[0], ContainsSubstring("partial answer"));
    CHECK(decoded.info->warnings[1] == "a b");
    CHECK(decoded.info->warnings[2] == "c");
    CHECK(decoded.info->infos == std::vector<std::string>{"d"});
}

TEST_CASE("an answer that is an error has the text of the API, on one line") {
    const std::string body =
        R"({"status":"error","errorType":"bad_data","error":"1:5: parse error:\n\u001b[31munexpected \u0000 end"})";
    AnswerDecoder decoder(AnswerLimits{}, [](const SeriesView&) {});
    CHECK(decoder.write(body));
    const Result<AnswerInfo> result = decoder.finish();
    REQUIRE(result.has_error());
    CHECK(result.error().is(Errc::rejected));
    REQUIRE(decoder.api_error().has_value());
    CHECK(*decoder.api_error() == ApiError{"bad_data", "1:5: parse error:  [31munexpected   end"});
    CHECK_THAT(result.error().message, ContainsSubstring("bad_data: 1:5: parse error:"));

    // With or without data, whatever the data is.
    CHECK(decode(R"({"status":"error","data":null,"errorType":"internal","error":"x"})").code() ==
          Errc::unavailable);
    CHECK(decode(R"({"data":{},"status":"error","errorType":"internal","error":"x"})").code() ==
          Errc::unavailable);
    CHECK(decode(success("vector", "[]").replace(11, 7, "error")).code() == Errc::rejected);
    CHECK(decode(R"({"status":"error"})").code() == Errc::rejected);

    const Decoded lengthy = decode(R"({"status":"error","errorType":")" + std::string(5000, 't') +
                                   R"(","error":")" + std::string(5000, 'e') + "\"}");
    CHECK_FALSE(lengthy.ok());
    CHECK(lengthy.error.message.size() < 800);
    CHECK_THAT(lengthy.error.message, ContainsSubstring("e..."));
}

TEST_CASE("escapes in labels and names are decoded") {
    const Decoded decoded = decode(success(
        "vector",
        R"([{"metric":{"\u0070od":"a\"b\\c\n\u00e9\ud83d\ude00/é"},"v\u0061lue":[1,"\u0032"]}])"));
    REQUIRE(decoded.ok());
    CHECK(decoded.series == std::vector{series_of({{"pod", "a\"b\\c\n\u00e9\U0001F600/é"}}, 2, 1)});
}

TEST_CASE("an exception of the sink becomes an error, and the sink is not called again") {
    int calls = 0;
    const Result<AnswerInfo> result = decode_answer(
        success("vector",
                R"([{"metric":{},"value":[1,"2"]},{"metric":{"a":"b"},"value":[1,"2"]}])"),
        {}, [&](const SeriesView&) {
            ++calls;
            throw std::runtime_error("no room");
        });
    REQUIRE(result.has_error());
    CHECK(result.error().is(Errc::internal));
    CHECK_THAT(result.error().message, ContainsSubstring("no room"));
    CHECK(calls == 1);

    const Result<AnswerInfo> odd =
        decode_answer(success("scalar", R"([1,"2"])"), {}, [](const SeriesView&) { throw 7; });
    REQUIRE(odd.has_error());
    CHECK(odd.error().is(Errc::internal));
}

TEST_CASE(
    "labels that arrive in one piece point into the body, and others are kept in reused memory") {
    std::string body = R"({"status":"success","data":{"resultType":"vector","result":[)";
    for (int i = 0; i < 100; ++i)
        body += std::string(i > 0 ? "," : "") +
                R"({"metric":{"pod":"a-pod-with-a-rather-long-name-)" + std::to_string(100 + i) +
                R"(","namespace":"a-namespace-with-a-rather-long-name"},"value":[1,"2"]})";
    body += "]}}";
    const auto is_in_body = [&](const char* label) {
        return std::less_equal<>()(body.data(), label) &&
               std::less<>()(label, body.data() + body.size());
    };
    const auto check = [&](const SeriesView& series) {
        CHECK(is_in_body(series.label("pod").data()));
        CHECK(is_in_body(series.label("namespace").data()));
        CHECK(series.label("model_name").empty());
    };
    const Result<AnswerInfo> result = decode_answer(body, {}, check);
    REQUIRE(result.has_value());
    CHECK(result->series == 100);

    std::set<const char*> places;
    AnswerDecoder decoder({}, [&](const SeriesView& series) {
        for (const samples::LabelView& label : series.labels)
            places.insert(label.value.data());
    });
    for (std::size_t at = 0; at < body.size(); at += 7)
        decoder.write(std::string(body, at, 7)); // Freed after the call.
    REQUIRE(decoder.finish().has_value());
    CHECK(places.size() == 2);
    CHECK(std::ranges::none_of(places, is_in_body));
}
