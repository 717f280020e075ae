// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/secret_mask.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using http::SecretMask;

namespace {

// Not a real one.
const std::string long_token =
    "eyJhbGciOiJSUzI1NiIsImtpZCI6IkFCQyJ9.eyJzdWIiOiJ3dmEifQ.c2lnbmF0dXJl_-xyz";

std::string mask_with(std::string_view secret, std::string_view text) {
    SecretMask mask;
    mask.add(secret);
    return mask.mask(text);
}

/// The longest part of `secret` in a text.
std::size_t longest_part(std::string_view text, std::string_view secret) {
    std::size_t longest = 0;
    for (std::size_t begin = 0; begin < secret.size(); ++begin)
        while (begin + longest < secret.size() &&
               text.find(secret.substr(begin, longest + 1)) != std::string_view::npos)
            ++longest;
    return longest;
}

} // namespace

TEST_CASE("a secret is hidden in the forms in which servers write it") {
    CHECK(mask_with("hunter2/secret", "pw=hunter2/secret.") == "pw=***.");
    CHECK(mask_with("hunter2/secret", "?pw=hunter2%2Fsecret&x") == "?pw=***&x");
    CHECK(mask_with("hunter2/secret", "?pw=hunter2%2fsecret&x") == "?pw=***&x");
    CHECK(mask_with("pass word/+ 99", "pass+word%2F%2B+99 pass%20word%2f%2b%2099") == "*** ***");
    CHECK(mask_with(R"(pass"word\99)", R"({"a":"pass\"word\\99"})") == R"({"a":"***"})");
    CHECK(mask_with("secret", "secretsecret and secret") == "*** and ***");
    CHECK(mask_with("secret", "nothing") == "nothing");
    CHECK(mask_with("secret", "").empty());
}

TEST_CASE("a secret is hidden in base64, wherever it begins in the encoded text") {
    for (const std::string before : {"", "u", "us", "user:", "Bearer "}) {
        for (const std::string after : {"", "&", "\r\n", "0123"}) {
            const std::string encoded = http::detail::encode_base64(before + long_token + after);
            std::string for_urls = encoded;
            std::replace(for_urls.begin(), for_urls.end(), '+', '-');
            std::replace(for_urls.begin(), for_urls.end(), '/', '_');
            for (const std::string& text : {encoded, for_urls}) {
                const std::string masked = mask_with(long_token, "it was " + text + ".");
                CHECK(masked.starts_with("it was "));
                // At most the encoded surroundings, and two characters that have bits of both.
                CHECK(masked.size() <= 8 + 3 + 4 * (before.size() + after.size()) / 3 + 10);
            }
        }
    }
}

TEST_CASE("of a secret that was cut off anywhere, less than half stays visible") {
    for (const std::string& secret :
         {std::string("abcd"), std::string("hunter2"), std::string("hunter22"),
          std::string("0123456789abc"), std::string("correct horse battery staple"), long_token}) {
        SecretMask mask;
        mask.add(secret);
        const std::string text = "sent: " + secret + " twice: " + secret;
        for (std::size_t begin = 0; begin < text.size(); ++begin) {
            for (std::size_t size = 1; size <= text.size() - begin; ++size) {
                const std::string masked = mask.mask(text.substr(begin, size));
                const std::size_t visible = longest_part(masked, secret);
                if (visible > std::min<std::size_t>(7, std::max<std::size_t>(3, secret.size() / 2)))
                    FAIL_CHECK("visible: " << masked);
            }
        }
    }
}

TEST_CASE("the credentials before the current ones are hidden too") {
    SecretMask mask;
    mask.learn_authorization("Bearer first-token");
    mask.learn_authorization("Bearer second-token");
    mask.learn_authorization("Bearer second-token");
    mask.learn_authorization("Basic dXNlcjpwYXNz");
    CHECK(mask.mask("first-token second-token dXNlcjpwYXNz Basic") == "*** *** *** Basic");
    mask.learn_authorization("Bearer fourth-one");
    CHECK(mask.mask("fourth-one dXNlcjpwYXNz") == "*** ***");
    mask.learn_authorization("");
    CHECK(mask.mask("Bearer fourth-one") == "Bearer ***");
}

TEST_CASE("secrets of less than four characters do not shred every text") {
    CHECK(mask_with("abc", "an abc of errors") == "an abc of errors");
    CHECK(mask_with("", "text") == "text");
    CHECK(mask_with("abcd", "an abcd of errors") == "an *** of errors");
}

TEST_CASE("a header or a parameter is secret by its name") {
    for (const char* name :
         {"X-Api-Key", "x-auth", "Private-Token", "Cookie", "password", "client_secret", "apikey"})
        CHECK(SecretMask::is_secret_name(name));
    for (const char* name : {"X-Scope-OrgID", "Accept", "dedup", "THANOS-TENANT"})
        CHECK_FALSE(SecretMask::is_secret_name(name));
}
