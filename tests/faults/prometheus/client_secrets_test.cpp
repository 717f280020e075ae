// SPDX-License-Identifier: Apache-2.0
#include "faults/prometheus/client_fixture.hpp"

#include "support/echoing_server.hpp"
#include "support/token_rotation.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace wva_metrics::test_support::prometheus_client;
using Catch::Matchers::ContainsSubstring;

namespace {

using Echo = std::function<std::string(const std::string&)>;

/// Answers that have the request somewhere, also where only a part of it is quoted.
std::vector<Echo> echoing_answers() {
    std::vector<Echo> echoes;
    for (const char* status : {"200 OK", "400 Bad Request", "401 Unauthorized", "404 Not Found",
                               "422 Unprocessable Entity", "500 Oops", "503 Busy"}) {
        const std::string line = status;
        echoes.emplace_back([line](const std::string& got) { return answer(line, got); });
        echoes.emplace_back(
            [line](const std::string& got) { return answer(line, "<html>" + got + "</html>"); });
        echoes.emplace_back(
            [line](const std::string& got) { return answer(line, api_error("bad_data", got)); });
        echoes.emplace_back(
            [line](const std::string& got) { return answer(line, api_error(got, "x")); });
        echoes.emplace_back([line](const std::string& got) {
            return answer(line, "x", "Retry-After: " + got.substr(got.find("Bearer")) + "\r\n");
        });
    }
    echoes.emplace_back([](const std::string& got) {
        return answer("302 Found", "",
                      "Location: http://h/" + got.substr(got.find("Bearer")) + "\r\n");
    });
    echoes.emplace_back([](const std::string& got) {
        return answer("200 OK", R"({"status":"success","data":{"resultType":")" + got + "\"}}");
    });
    echoes.emplace_back([](const std::string& got) {
        return answer("200 OK", R"({"status":"success","data":{"resultType":"vector","result":[)"
                                R"({"metric":{"a":"1","a":"2"},"value":[1700000000,")" +
                                    got + R"("]}]}})");
    });
    // The whole answer is rejected.
    echoes.emplace_back([](const std::string& got) { return got + "\r\n\r\n"; });
    return echoes;
}

} // namespace

TEST_CASE("a server that echoes the request does not bring the token into an error") {
    const std::string token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3dmEifQ.c2lnbmF0dXJl-of-the-token";
    for (const Echo& echo : echoing_answers()) {
        // At any place of a text that is cut.
        for (const std::size_t moved : {0U, 20U, 60U, 100U, 300U, 450U}) {
            prometheus::ClientConfig config;
            config.http.credentials = http::Credentials::bearer(token);
            config.http.headers = {{"A", std::string(moved, '.')}};
            Peers peers(echo_each(echo), config);
            const QueryPtr query = peers.run();
            REQUIRE(query->result->has_error());
            const std::string text = query->error().describe();
            CAPTURE(text);
            for (std::size_t i = 0; i + 8 <= token.size(); ++i)
                REQUIRE(text.find(token.substr(i, 8)) == std::string::npos);
        }
    }
}

TEST_CASE("an error still says what the server says besides the secret") {
    prometheus::ClientConfig config;
    config.http.credentials = http::Credentials::bearer("the-token-that-is-wrong");
    Peers peers(echo_each([](const std::string&) {
                    return answer(
                        "400 Bad Request",
                        api_error("bad_data", "no user has the-token-that-is-wrong here"));
                }),
                config);
    CHECK_THAT(peers.run()->error().message, ContainsSubstring("no user has *** here"));
}

TEST_CASE("passwords, keys in headers and secret parameters are hidden as the token is") {
    prometheus::ClientConfig config;
    config.http.credentials = http::Credentials::basic("reader", "pass word/99");
    config.http.headers = {{"X-Api-Key", "key-of-the-api"}, {"X-Scope-OrgID", "tenant-one"}};
    config.query_parameters = {{"token", "token in the query"}, {"dedup", "true"}};
    const std::string encoded = http::detail::encode_base64("reader:pass word/99");
    Peers peers(echo_each([&](const std::string& got) {
                    return answer("400 Bad Request",
                                  api_error("bad_data", got.substr(got.find("Authorization"))) +
                                      "}" +
                                      "pass%20word%2F99 pass word/99 X-Api-Key: key-of-the-api" +
                                      " X-Scope-OrgID: tenant-one");
                }),
                config);
    const std::string text = peers.run()->error().message;
    CAPTURE(text);
    for (const std::string& secret : {encoded, std::string("pass word"), std::string("pass%20"),
                                      std::string("key-of"), std::string("token+in")})
        CHECK(text.find(secret) == std::string::npos);
    CHECK_THAT(text, ContainsSubstring("tenant-one"));
}

TEST_CASE("warnings and infos do not show the token either") {
    prometheus::ClientConfig config;
    config.http.credentials = http::Credentials::bearer("token-of-the-reader");
    Peers peers(echo_each([](const std::string& got) {
                    return answer("200 OK", R"({"status":"success","data":{"resultType":"vector",)"
                                            R"("result":[]},"warnings":[")" +
                                                got + R"("],"infos":["for )" + got + "\"]}");
                }),
                config);
    const QueryPtr query = peers.run();
    REQUIRE(query->result->has_value());
    const prometheus::AnswerInfo& info = **query->result;
    REQUIRE(info.warnings.size() == 1);
    CHECK_THAT(info.warnings.front(), ContainsSubstring("Bearer ***"));
    REQUIRE(info.infos.size() == 1);
    CHECK_THAT(info.infos.front(), ContainsSubstring("Bearer ***"));
}

TEST_CASE("the token before the rotation is hidden as the new one is") {
    const TokenFile file("the-first-token");
    prometheus::ClientConfig config;
    config.http.credentials = file.credentials();
    Peers peers(echo_each([](const std::string& got) {
                    const bool is_new = got.find("the-second-token") != std::string::npos;
                    return answer(is_new ? "400 Bad Request" : "401 Unauthorized",
                                  "the-first-token is not the-second-token");
                }),
                config);
    CHECK_THAT(peers.run()->error().message, ContainsSubstring("*** is not the-second-token"));
    file.write("the-second-token");
    CHECK_THAT(peers.run()->error().message, ContainsSubstring("*** is not ***"));
}
