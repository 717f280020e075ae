// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/error.hpp"

#include <cstddef>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {

/// The library has broken a promise. A test reports it; a fuzzer stops and keeps the input.
class BrokenProperty : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

/// Throws `BrokenProperty` with these words unless `holds`.
inline void expect(bool holds, const std::string& property) {
    if (!holds)
        throw BrokenProperty(property);
}

/// Throws unless people can read the text on one line of a log: valid UTF-8 without control
/// characters, at most `max_bytes`.
inline void expect_clean(std::string_view text, std::size_t max_bytes, const std::string& what) {
    expect(text.size() <= max_bytes, what + " is too long: " + std::to_string(text.size()) +
                                         " bytes: " + std::string(text.substr(0, 200)));
    expect(detail::is_valid_utf8(text), what + " is not UTF-8: " + std::string(text));
    for (std::size_t i = 0; i < text.size(); ++i)
        expect(detail::invisible_control(text.substr(i)) == 0,
               what + " has a control character: " + std::string(text));
}

/// More bytes than any message of one error needs.
inline constexpr std::size_t max_message_bytes = 1000;

/// Throws unless the error is of one of these kinds and says why in a clean and bounded text.
inline void expect_explained(const Error& error, std::initializer_list<Errc> kinds) {
    bool is_one = false;
    for (const Errc kind : kinds)
        is_one = is_one || error.is(kind);
    expect(is_one, "an error of the wrong kind: " + error.describe());
    expect(!error.message.empty(), "an error without words: " + error.describe());
    expect_clean(error.message, max_message_bytes, "the message of an error");
}

/// A text with another character of the same kind for each. What is written about a secret must be
/// the same as about another one; to search for the secret itself would find words by chance.
inline std::string disguised(std::string text) {
    for (char& c : text)
        c = c > ' ' && c <= '~' ? (c == 'x' ? 'y' : 'x') : c;
    return text;
}

} // namespace wva_metrics::fuzz
