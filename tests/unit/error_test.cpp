// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/error.hpp"

#include "support/presentable.hpp"

#include <catch2/catch_all.hpp>

#include <set>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("an error is described in one line, with the endpoint if there is one") {
    const Error error(Errc::timeout, "no answer within 5 s", "http://prometheus:9090");
    CHECK(error.describe() == "timeout: no answer within 5 s (http://prometheus:9090)");
    CHECK(Error(Errc::invalid_argument, "the model id is empty").describe() ==
          "invalid_argument: the model id is empty");
}

TEST_CASE("an error has bounded texts without control characters, whatever it quotes") {
    const Error error(Errc::rejected, hostile_text(), hostile_text());
    CHECK(is_presentable(error.message, Error::max_message_bytes));
    CHECK(is_presentable(error.endpoint, Error::max_endpoint_bytes));
    CHECK(is_presentable(error.describe()));

    // Its members may be assigned, by a backend of the user's own.
    Error assigned;
    assigned.message = hostile_text();
    assigned.endpoint = hostile_text();
    CHECK(is_presentable(assigned.describe()));
    CHECK(is_presentable(ResultError(assigned).what()));
}

TEST_CASE("errors are distinguished by their code, not by their message") {
    const Error error(Errc::unavailable, "try again later", "http://p:9090", 503);
    CHECK(error.is(Errc::unavailable));
    CHECK_FALSE(error.is(Errc::timeout));
    CHECK(error.http_status == 503);
    CHECK(error.code == Errc::unavailable);
    CHECK(error == Error(Errc::unavailable, "try again later", "http://p:9090", 503));
    CHECK_FALSE(error == Error(Errc::unavailable, "try again", "http://p:9090", 503));
}

TEST_CASE("every code has its own name in the category of the library") {
    std::set<std::string> names;
    for (int code = 1; code <= static_cast<int>(Errc::internal); ++code) {
        const boost::system::error_code error = static_cast<Errc>(code);
        CHECK(error.failed());
        CHECK(std::string(error.category().name()) == "wva_metrics");
        CHECK(error.message() == to_string(static_cast<Errc>(code)));
        CHECK(error.message() != "unknown");
        names.insert(error.message());
    }
    CHECK(names.size() == static_cast<std::size_t>(Errc::internal));
    CHECK(make_error_code(static_cast<Errc>(99)).message() == "unknown");
}

TEST_CASE("a code is not equal to the same number in another category") {
    const boost::system::error_code other(static_cast<int>(Errc::timeout),
                                          boost::system::generic_category());
    CHECK_FALSE(other == Errc::timeout);
}

TEST_CASE("the value of a failed result throws the whole error") {
    const Result<int> result = Error(Errc::forbidden, "ask for access", "https://p", 403);
    CHECK_FALSE(result.has_value());
    CHECK(result.error().is(Errc::forbidden));
    try {
        (void)result.value();
        FAIL("there is no value");
    } catch (const ResultError& thrown) {
        CHECK(thrown.error() == result.error());
        CHECK(thrown.code().value() == static_cast<int>(Errc::forbidden));
        CHECK(std::string(thrown.what()) == result.error().describe());
    }
    CHECK(Result<int>(3).value() == 3);
}
