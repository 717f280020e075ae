// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/key_prefix.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <array>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

void check_prefix(const CacheKeyView& key, std::string_view prefix) {
    const std::string text = to_string(key);
    const bool begins = text.starts_with(prefix);
    expect(starts_with(key, prefix) == begins, text + " begins otherwise than its text");
    if (const std::optional<NamespacePrefix> parts = split_prefix(prefix)) {
        const bool matches = key.kind == parts->kind &&
                             key.namespace_name == parts->namespace_name &&
                             key.name.starts_with(parts->name_prefix);
        expect(matches == begins, text + " begins otherwise than the parts of the prefix");
    }
}

/// The text of a key is one-to-one, and its prefixes are those of the text. Lines: the kinds of two
/// keys, their namespaces, their names, and a prefix.
void fuzz_cache_key(std::string_view bytes) {
    Input input(bytes);
    Choices choices(input.line());
    constexpr std::array kinds{EntryKind::optimizer, EntryKind::replica, EntryKind::availability};
    CacheKeyView one{kinds[choices.below(3)], {}, {}};
    CacheKeyView other{kinds[choices.below(3)], {}, {}};
    one.namespace_name = input.line();
    other.namespace_name = input.line();
    one.name = input.line();
    other.name = input.line();
    const std::string_view prefix = input.rest();

    const bool same = one.kind == other.kind && one.namespace_name == other.namespace_name &&
                      one.name == other.name;
    expect((one == other) == same, "keys are compared otherwise than their parts");
    expect((to_string(one) == to_string(other)) == same,
           "two keys share a text: " + to_string(one));
    expect(!same || CacheKeyHash()(one) == CacheKeyHash()(other), "equal keys hash otherwise");
    expect(CacheKeyView(CacheKey(one)) == one, "a key that owns its parts is another one");

    for (const CacheKeyView& key : {one, other}) {
        check_prefix(key, prefix);
        const std::string text = to_string(other);
        for (std::size_t size = 0; size <= text.size(); ++size)
            check_prefix(key, std::string_view(text).substr(0, size));
    }
}

const RegisteredTarget cache_key_target("cache_key", &fuzz_cache_key);

} // namespace
} // namespace wva_metrics::fuzz
