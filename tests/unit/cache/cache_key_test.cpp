// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/key_prefix.hpp"

#include <catch2/catch_all.hpp>

#include <random>
#include <set>
#include <string>
#include <unordered_set>

using namespace wva_metrics;

namespace {

std::string random_text(std::mt19937& random) {
    constexpr std::string_view alphabet = "/%:ab";
    std::string text(random() % 4, ' ');
    for (char& c : text)
        c = alphabet[random() % alphabet.size()];
    return text;
}

EntryKind random_kind(std::mt19937& random) {
    return static_cast<EntryKind>(random() % 3);
}

} // namespace

TEST_CASE("the text form of a key is its kind, namespace and name") {
    CHECK(to_string(optimizer_key("prod", "llama-a100")) == "allocation:prod/llama-a100");
    CHECK(to_string(replica_key({"prod", "meta-llama/Llama-3.1-8B"})) ==
          "replica:prod/meta-llama/Llama-3.1-8B");
    CHECK(to_string(availability_key({"prod", "m"})) == "availability:prod/m");
    CHECK(key_prefix(EntryKind::replica, "prod") == "replica:prod/");
}

TEST_CASE("special characters in a model id are not escaped") {
    CHECK(to_string(replica_key({"ns", "a b\"c\\d%2F:e"})) == "replica:ns/a b\"c\\d%2F:e");
}

TEST_CASE("a slash in a namespace is escaped, unlike the one that ends it") {
    CHECK(to_string(replica_key({"a", "b/c"})) == "replica:a/b/c");
    CHECK(to_string(replica_key({"a/b", "c"})) == "replica:a%2Fb/c");
    CHECK(to_string(replica_key({"a%2Fb", "c"})) == "replica:a%252Fb/c");
}

TEST_CASE("two keys have the same text only when all their parts are the same") {
    std::mt19937 random(20240601);
    std::set<std::string> texts;
    std::set<std::tuple<EntryKind, std::string, std::string>> parts;
    for (int i = 0; i < 50'000; ++i) {
        const EntryKind kind = random_kind(random);
        const std::string namespace_name = random_text(random);
        const std::string name = random_text(random);
        texts.insert(to_string(CacheKeyView{kind, namespace_name, name}));
        parts.emplace(kind, namespace_name, name);
    }
    CHECK(texts.size() == parts.size());
}

TEST_CASE("a key that owns its parts is found by a view") {
    std::unordered_set<CacheKey, CacheKeyHash, CacheKeyEqual> keys;
    {
        const std::string name = "a variant name too long to be kept in place";
        keys.emplace(optimizer_key("ns", name));
    }
    CHECK(keys.find(optimizer_key("ns", "a variant name too long to be kept in place")) !=
          keys.end());
    CHECK(keys.find(optimizer_key("ns2", "a variant name too long to be kept in place")) ==
          keys.end());
    CHECK(keys.find(CacheKeyView{EntryKind::replica, "ns",
                                 "a variant name too long to be kept in place"}) == keys.end());
}

TEST_CASE("hashes of similar keys are spread over high and low bits") {
    std::unordered_set<std::size_t> high;
    std::unordered_set<std::size_t> low;
    for (int i = 0; i < 1000; ++i) {
        const std::string name = "llama-" + std::to_string(i);
        const std::size_t hash = CacheKeyHash{}(optimizer_key("prod", name));
        high.insert(hash >> (sizeof(hash) * 8 - 8));
        low.insert(hash & 0xff);
    }
    // 1000 random values miss about 5 of 256 possible ones.
    CHECK(high.size() > 230);
    CHECK(low.size() > 230);
}

TEST_CASE("keys of short namespaces have different hashes, whatever their kind") {
    std::unordered_set<std::size_t> hashes;
    std::size_t keys = 0;
    for (const EntryKind kind : {EntryKind::optimizer, EntryKind::replica, EntryKind::availability})
        for (std::size_t size = 0; size <= 3; ++size)
            for (char c = 'a'; c <= 'z'; ++c) {
                hashes.insert(CacheKeyHash{}(CacheKeyView{kind, std::string(size, c), "llama"}));
                ++keys;
                if (size == 0)
                    break;
            }
    CHECK(hashes.size() == keys);
}

TEST_CASE("a prefix of a key is recognised without building its text") {
    const CacheKeyView key{EntryKind::replica, "a/b", "meta-llama/x"};
    CHECK(starts_with(key, ""));
    CHECK(starts_with(key, "rep"));
    CHECK(starts_with(key, "replica:"));
    CHECK(starts_with(key, "replica:a%2"));
    CHECK(starts_with(key, "replica:a%2Fb/"));
    CHECK(starts_with(key, "replica:a%2Fb/meta-"));
    CHECK(starts_with(key, "replica:a%2Fb/meta-llama/x"));
    CHECK_FALSE(starts_with(key, "replica:a%2Fb/meta-llama/xy"));
    CHECK_FALSE(starts_with(key, "replica:a/b"));
    CHECK_FALSE(starts_with(key, "allocation:"));
}

TEST_CASE("a prefix matches a key if and only if the key's text begins with it") {
    std::mt19937 random(7);
    int fitting = 0;
    for (int i = 0; i < 50'000; ++i) {
        const std::string namespace_name = random_text(random);
        const std::string name = random_text(random);
        const CacheKeyView key{random_kind(random), namespace_name, name};
        const std::string other_namespace = random_text(random);
        const std::string other_name = random_text(random);
        std::string prefix =
            to_string(CacheKeyView{random_kind(random), other_namespace, other_name});
        prefix.resize(random() % (prefix.size() + 1));
        const std::string text = to_string(key);
        const bool expected = text.compare(0, prefix.size(), prefix) == 0;
        CAPTURE(text, prefix);
        REQUIRE(starts_with(key, prefix) == expected);
        fitting += expected ? 1 : 0;
    }
    CHECK(fitting > 5'000);
}
