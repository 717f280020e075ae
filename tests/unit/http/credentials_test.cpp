// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/credentials.hpp"

#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

using namespace wva_metrics;
using namespace std::chrono_literals;
using http::Credentials;
using http::CredentialSource;

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

struct TokenFile {
    test_support::TemporaryDirectory directory;
    std::filesystem::path path = directory.path() / "token";
    CredentialSource source{Credentials::bearer_file(path.string()), 1h};
    TimePoint now{};
};

} // namespace

TEST_CASE("credentials become the value of an Authorization header") {
    const auto header = [](const Credentials& credentials) {
        return CredentialSource(credentials, 0s).authorization({}).value();
    };
    CHECK(header({}) == "");
    CHECK(header(Credentials::bearer("abc.def")) == "Bearer abc.def");
    // RFC 7617
    CHECK(header(Credentials::basic("Aladdin", "open sesame")) ==
          "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST_CASE("base64 pads as in RFC 4648") {
    using http::detail::encode_base64;
    CHECK(encode_base64("") == "");
    CHECK(encode_base64("f") == "Zg==");
    CHECK(encode_base64("fo") == "Zm8=");
    CHECK(encode_base64("foo") == "Zm9v");
    CHECK(encode_base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("credentials that could inject a header are rejected, and not repeated in the message") {
    const Credentials bad = GENERATE(
        Credentials::bearer("hunter2\r\nX-Injected: 1"), Credentials::bearer("hunter2 "),
        Credentials::bearer(""), Credentials::bearer("hunter2\x80"),
        Credentials::bearer(std::string(65537, 'x')), Credentials::bearer_file(""),
        Credentials::basic("hunter2:x", "p"), Credentials::basic("u", "hunter2\n"),
        Credentials::basic("hunter2\r", "p"), Credentials::basic("u", std::string("hunter2\0", 8)));
    CHECK_FALSE(bad.problem().empty());
    CHECK(bad.problem().find("hunter2") == std::string::npos);
}

TEST_CASE("valid credentials have no problem") {
    CHECK(Credentials().problem().empty());
    CHECK(Credentials::bearer("eyJ.a-b_c~d+e/f==").problem().empty());
    CHECK(Credentials::bearer_file("/no/such/file").problem().empty());
    CHECK(Credentials::basic("", "").problem().empty());
    CHECK(Credentials::basic("u", "p:\xc3\xa4").problem().empty());
}

TEST_CASE("white space around the token in a file is removed") {
    TokenFile file;
    write(file.path, "\n abc \r\n");
    CHECK(*file.source.authorization(file.now) == "Bearer abc");
}

TEST_CASE("a token file is read again after a minute and not before") {
    TokenFile file;
    write(file.path, "old");
    CHECK(*file.source.authorization(file.now) == "Bearer old");
    write(file.path, "new");
    CHECK(*file.source.authorization(file.now + 59999ms) == "Bearer old");
    CHECK(*file.source.authorization(file.now + 60s) == "Bearer new");
}

TEST_CASE("a token file is read again at once after its token was rejected") {
    TokenFile file;
    write(file.path, "old");
    CHECK(*file.source.authorization(file.now) == "Bearer old");
    write(file.path, "new");
    file.source.reject("Bearer old");
    CHECK(*file.source.authorization(file.now) == "Bearer new");
    write(file.path, "newer");
    file.source.reject("Bearer old");
    CHECK(*file.source.authorization(file.now) == "Bearer new");
}

TEST_CASE("a token file is read again for every request while its token is rejected") {
    TokenFile file;
    write(file.path, "old");
    CHECK(*file.source.authorization(file.now) == "Bearer old");
    file.source.reject("Bearer old");
    CHECK(*file.source.authorization(file.now) == "Bearer old");
    write(file.path, "new");
    CHECK(*file.source.authorization(file.now) == "Bearer new");
    write(file.path, "newer");
    CHECK(*file.source.authorization(file.now) == "Bearer new");
}

TEST_CASE("the last valid token is kept while the file is invalid") {
    TokenFile file;
    write(file.path, "good");
    CHECK(*file.source.authorization(file.now) == "Bearer good");
    const std::string content = GENERATE(as<std::string>{}, "", " \n", "two words", "a\r\nX: y",
                                         std::string(65537, 'x'), "remove");
    write(file.path, content);
    if (content == "remove")
        std::filesystem::remove(file.path);
    CHECK(*file.source.authorization(file.now + 2min) == "Bearer good");
    write(file.path, "better");
    CHECK(*file.source.authorization(file.now + 4min) == "Bearer better");
}

TEST_CASE("the last valid token is kept for max_stale_token_file and no longer") {
    TokenFile file;
    write(file.path, "good");
    CHECK(*file.source.authorization(file.now) == "Bearer good");
    write(file.path, "half a");
    const TimePoint noticed = file.now + 2min;
    CHECK(*file.source.authorization(noticed) == "Bearer good");
    CHECK(*file.source.authorization(noticed + 1h - 1ns) == "Bearer good");
    const Result<std::string> value = file.source.authorization(noticed + 1h);
    REQUIRE_FALSE(value.has_value());
    CHECK(value.error().is(Errc::invalid_config));
    CHECK(value.error().message.find(file.path.string()) != std::string::npos);
    CHECK(value.error().message.find("one token") != std::string::npos);
    CHECK(value.error().message.find("max_stale_token_file = 1h0m0s") != std::string::npos);
    write(file.path, "better");
    CHECK(*file.source.authorization(noticed + 1h) == "Bearer better");
    // The next outage has an hour of its own.
    write(file.path, "");
    CHECK(*file.source.authorization(noticed + 3h) == "Bearer better");
}

TEST_CASE("without a valid token the error names the file and the reason") {
    TokenFile file;
    const auto [content, reason] = GENERATE(table<std::string, std::string>({
        {"remove", "does not exist"},
        {"", "is empty"},
        {std::string(65537, 'x'), "larger than 64 KiB"},
        {"hunter2 hunter2", "one token"},
    }));
    if (content != "remove")
        write(file.path, content);
    const Result<std::string> value = file.source.authorization(file.now);
    REQUIRE_FALSE(value.has_value());
    CHECK(value.error().is(Errc::invalid_config));
    CHECK(value.error().message.find(reason) != std::string::npos);
    CHECK(value.error().message.find(file.path.string()) != std::string::npos);
    CHECK(value.error().message.find("hunter2") == std::string::npos);
    // The file is read again for the next request, not only after a minute.
    write(file.path, "late");
    CHECK(*file.source.authorization(file.now) == "Bearer late");
}

TEST_CASE("a token of exactly 64 KiB is read") {
    TokenFile file;
    write(file.path, std::string(65536, 'x'));
    CHECK(file.source.authorization(file.now)->size() == 65536 + 7);
}

TEST_CASE("a token file that is a directory is rejected, not read") {
    TokenFile file;
    std::filesystem::create_directory(file.path);
    CHECK_FALSE(file.source.authorization(file.now).has_value());
}
