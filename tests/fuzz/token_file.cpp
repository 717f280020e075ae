// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/http/credentials.hpp"

#include "support/temporary_directory.hpp"

#include "fuzz/input.hpp"
#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::fuzz {
namespace {

/// The token in a file, by a simple reader.
std::optional<std::string> model_token(std::string_view content) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    if (content.size() > http::Credentials::max_bytes)
        return std::nullopt;
    while (!content.empty() && is_blank(content.front()))
        content.remove_prefix(1);
    while (!content.empty() && is_blank(content.back()))
        content.remove_suffix(1);
    for (const char c : content)
        if (c <= ' ' || c > '~')
            return std::nullopt;
    return content.empty() ? std::nullopt : std::optional<std::string>(content);
}

Result<std::string> authorization_with(const std::string& path, const std::string& content,
                                       http::CredentialSource& source, TimePoint now) {
    std::ofstream(path, std::ios::binary) << content;
    return source.authorization(now);
}

/// A file that rotates gives its newest valid token, and what is no token is never sent and never
/// told. Each line is the content of the file for a minute; a form feed stands for a line's end.
void fuzz_token_file(std::string_view bytes) {
    static const test_support::TemporaryDirectory directory;
    const std::string path = directory.path() / "token";
    const http::Credentials credentials = http::Credentials::bearer_file(path);
    http::CredentialSource source(credentials, std::chrono::hours(1));
    Input input(bytes);
    std::optional<std::string> expected;
    TimePoint now{};
    for (std::size_t minute = 0; minute < 4; ++minute) {
        std::string content(input.line());
        std::replace(content.begin(), content.end(), '\f', '\n');
        if (const std::optional<std::string> token = model_token(content))
            expected = token;
        const Result<std::string> value = authorization_with(path, content, source, now);
        now += http::CredentialSource::reread_after;
        expect(value.has_value() == expected.has_value(), "a token is accepted wrongly");
        if (value) {
            expect(*value == "Bearer " + *expected, "another token is sent");
            continue;
        }
        expect_explained(value.error(), {Errc::invalid_config});
        http::CredentialSource other(credentials, std::chrono::hours(1));
        const auto other_value = authorization_with(path, disguised(content), other, now);
        expect(other_value.has_error() && other_value.error() == value.error(),
               "the error depends on the content of the file");
    }
}

const RegisteredTarget token_file_target("token_file", &fuzz_token_file);

} // namespace
} // namespace wva_metrics::fuzz
