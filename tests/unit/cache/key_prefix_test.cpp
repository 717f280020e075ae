// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/key_prefix.hpp"

#include <catch2/catch_all.hpp>

#include <random>
#include <string>
#include <string_view>

using namespace wva_metrics;

namespace {

std::string random_text(std::mt19937& random, std::string_view alphabet) {
    std::string text(random() % 6, ' ');
    for (char& c : text)
        c = alphabet[random() % alphabet.size()];
    return text;
}

} // namespace

TEST_CASE("a prefix with a namespace is split into the parts it was made of") {
    std::mt19937 random(3);
    for (int i = 0; i < 20'000; ++i) {
        const auto kind = static_cast<EntryKind>(random() % 3);
        const std::string namespace_name = random_text(random, "/%:2F5a");
        const std::string name = random_text(random, "/%:2F5a");
        const std::string prefix = key_prefix(kind, namespace_name) + name;
        const auto parts = split_prefix(prefix);
        CAPTURE(prefix);
        REQUIRE(parts);
        REQUIRE(parts->kind == kind);
        REQUIRE(parts->namespace_name == namespace_name);
        REQUIRE(parts->name_prefix == name);
    }
}

TEST_CASE("a prefix is split only if it includes the whole namespace") {
    for (const char* prefix : {"", "r", "replica", "replica:", "replica:a", "replica:a%2",
                               "replica:a%2F", "replicas:a/", "Replica:a/", ":a/", "/"}) {
        CAPTURE(prefix);
        CHECK_FALSE(split_prefix(prefix));
    }
    const auto parts = split_prefix("replica:a/b/c");
    REQUIRE(parts);
    CHECK(parts->namespace_name == "a");
    CHECK(parts->name_prefix == "b/c");
    CHECK(split_prefix("replica:/"));
    CHECK(split_prefix("replica:a%2Fb/")->namespace_name == "a/b");
    CHECK(split_prefix("replica:a/%2F")->name_prefix == "%2F");
}

TEST_CASE("no key begins with a prefix that has a slash but cannot be split") {
    for (const char* prefix : {"replica:%/", "replica:%2/", "replica:%2f/", "replica:%20/",
                               "replica:a%/b", "replica:%25%/", "replica:a%2Gb/"}) {
        CAPTURE(prefix);
        CHECK_FALSE(split_prefix(prefix));
    }
    // A prefix that is split matches exactly the keys that its parts match.
    std::mt19937 random(4);
    int split = 0;
    for (int i = 0; i < 50'000; ++i) {
        const std::string prefix = "replica:" + random_text(random, "/%2F5a");
        const std::string namespace_name = random_text(random, "/%a");
        const std::string name = random_text(random, "/%a");
        const CacheKeyView key{EntryKind::replica, namespace_name, name};
        const auto parts = split_prefix(prefix);
        const bool fits = starts_with(key, prefix);
        CAPTURE(prefix, to_string(key));
        if (parts) {
            ++split;
            REQUIRE(fits == (parts->namespace_name == namespace_name &&
                             std::string_view(name).starts_with(parts->name_prefix)));
        } else if (prefix.find('/') != std::string::npos) {
            REQUIRE_FALSE(fits);
        }
    }
    CHECK(split > 5'000);
}
