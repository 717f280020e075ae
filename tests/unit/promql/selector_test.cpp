// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/selector.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics::promql;
using wva_metrics::Errc;

namespace {

std::string select(const QueryScope& scope) {
    return scope_selector(scope, "namespace", "model_name").value();
}

} // namespace

TEST_CASE("one model in one namespace is selected by equality") {
    CHECK(select({{"prod"}, {"meta-llama/Llama-3.1"}}) ==
          R"({namespace="prod",model_name="meta-llama/Llama-3.1"})");
    CHECK(select({{""}, {"m"}}) == R"({namespace="",model_name="m"})");
    CHECK(scope_selector({{"n"}, {"m"}}, "kube_namespace", "model").value() ==
          R"({kube_namespace="n",model="m"})");
}

TEST_CASE("2.1 row 14: a model id cannot break out of its selector") {
    CHECK(select({{"prod"}, {"x\"} or up{a=\"\n"}}) ==
          R"({namespace="prod",model_name="x\"} or up{a=\"\n"})");
    CHECK(select({{"prod"}, {"\\"}}) == R"({namespace="prod",model_name="\\"})");
}

TEST_CASE("2.1 row 15: several models are alternatives that match literally") {
    CHECK(select({{"a.b", "a"}, {"llama-3.1", "llama|x", "(\"q\")", "b\\s"}}) ==
          R"({namespace=~"a|a\\.b",model_name=~"\\(\"q\"\\)|b\\\\s|llama-3\\.1|llama\\|x"})");
    CHECK(select({{"", "a"}, {"m"}}) == R"({namespace=~"|a",model_name="m"})");
}

TEST_CASE("2.1 row 15: the text does not depend on the order or on duplicates") {
    QueryScope scope{{"n1", "n2", "n3"}, {"a", "b", "c", "d", "e", "f"}};
    const std::string text = select(scope);
    scope.models.insert(scope.models.end(), {"a", "f"});
    scope.namespaces.emplace_back("n2");
    std::mt19937 random(20'240'603);
    for (int round = 0; round < 50; ++round) {
        std::shuffle(scope.models.begin(), scope.models.end(), random);
        std::shuffle(scope.namespaces.begin(), scope.namespaces.end(), random);
        REQUIRE(select(scope) == text);
    }
    CHECK(select({{"n", "n"}, {"m", "m"}}) == R"({namespace="n",model_name="m"})");
}

TEST_CASE("a selector that would match more than its scope is refused") {
    for (const QueryScope& scope : {QueryScope{{}, {"m"}}, QueryScope{{"n"}, {}}, QueryScope{}}) {
        const auto refused = scope_selector(scope, "namespace", "model_name");
        REQUIRE(refused.has_error());
        CHECK(refused.error().is(Errc::invalid_argument));
    }
    CHECK(scope_selector({{"n"}, {"m", ""}}, "namespace", "model_name").error().message ==
          "the model id is empty");
    CHECK(namespace_selector({}, "namespace").has_error());
}

TEST_CASE("a selector with invalid UTF-8 is refused, and the message names the label") {
    const auto model = scope_selector({{"n"}, {"m", "x\xFF"}}, "namespace", "model_name");
    REQUIRE(model.has_error());
    CHECK(model.error().is(Errc::invalid_argument));
    CHECK(model.error().message ==
          "label model_name: text is not valid UTF-8: byte 0xff at offset 1 of 2");
    CHECK(scope_selector({{"\xC0"}, {"m"}}, "ns", "model_name").error().message ==
          "label ns: text is not valid UTF-8: byte 0xc0 at offset 0 of 1");
}

TEST_CASE("namespaces alone are selected the same way") {
    const std::vector<std::string> one = {"prod"};
    const std::vector<std::string> two = {"b.c", "a", "b.c"};
    CHECK(namespace_selector(one, "namespace").value() == R"({namespace="prod"})");
    CHECK(namespace_selector(two, "exported_namespace").value() ==
          R"({exported_namespace=~"a|b\\.c"})");
    const std::vector<std::string> bad = {"\x80"};
    CHECK(namespace_selector(bad, "namespace").has_error());
}
