// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/tls.hpp"

#include "support/tls_trust.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/stat.h>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::TlsConfig;
using http::detail::TlsFiles;

namespace {

/// A client's three files.
struct TlsFilesOnDisk {
    Trust trust;
    Certificate identity = trust.authority.sign({.common_name = "client"});
    TimePoint now{};

    TlsConfig config() const {
        TlsConfig config = trust.config();
        config.certificate_file = trust.file("client.pem", identity.certificate_pem());
        config.private_key_file = trust.file("client.key", identity.key_pem());
        return config;
    }
};

} // namespace

TEST_CASE("TLS files are checked once per reload_interval, and at once after a failed handshake") {
    TlsFilesOnDisk disk;
    const auto files = TlsFiles::open(disk.config(), disk.now).value();
    const auto first = files->current(disk.now).value();
    CHECK_FALSE(files->reread(first, disk.now));
    const Certificate next = disk.trust.authority.sign({.common_name = "next client"});
    disk.trust.file("client.pem", next.certificate_pem());
    disk.trust.file("client.key", next.key_pem());
    SECTION("checked by a new connection") {
        CHECK(files->current(disk.now + 60s - 1ns).value() == first);
        const auto second = files->current(disk.now + 60s).value();
        CHECK(second != first);
        CHECK(files->current(disk.now + 10min).value() == second);
    }
    SECTION("after a failed handshake") {
        CHECK(files->reread(first, disk.now));
        CHECK(files->current(disk.now).value() != first);
    }
    SECTION("after a failed handshake, if another connection has read them before") {
        CHECK(files->current(disk.now + 60s).value() != first);
        CHECK(files->reread(first, disk.now + 60s));
    }
}

TEST_CASE("unusable TLS files keep the last good ones for max_stale_files and no longer") {
    TlsFilesOnDisk disk;
    const auto files = TlsFiles::open(disk.config(), disk.now).value();
    const auto good = files->current(disk.now).value();
    const std::string whole = GENERATE(as<std::string>{}, "ca.pem", "client.pem", "client.key");
    const std::string damage = GENERATE(as<std::string>{}, "empty", "half", "missing", "a FIFO");
    CAPTURE(whole, damage);
    const std::filesystem::path path = disk.trust.directory.path() / whole;
    std::string text(std::filesystem::file_size(path), '\0');
    std::ifstream(path).read(text.data(), static_cast<std::streamsize>(text.size()));
    std::filesystem::remove(path);
    if (damage == "empty")
        disk.trust.file(whole, "");
    else if (damage == "half")
        disk.trust.file(whole, text.substr(0, text.size() / 2));
    else if (damage == "a FIFO")
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);

    const TimePoint noticed = disk.now + 2min;
    CHECK(files->current(noticed).value() == good);
    CHECK(files->current(noticed + 1h - 1ns).value() == good);
    const auto stale = files->current(noticed + 1h);
    REQUIRE_FALSE(stale.has_value());
    CHECK(stale.error().is(Errc::invalid_config));
    CHECK(stale.error().message.find(path.string() + " cannot be used: ") != std::string::npos);
    CHECK(stale.error().message.find("tls.max_stale_files = 1h0m0s") != std::string::npos);
    // While they are unusable they are read for every connection.
    std::filesystem::remove(path);
    disk.trust.file(whole, text);
    CHECK(files->current(noticed + 1h).has_value());
}

TEST_CASE("a certificate without its new key is not used yet") {
    TlsFilesOnDisk disk;
    const auto files = TlsFiles::open(disk.config(), disk.now).value();
    const auto good = files->current(disk.now).value();
    const Certificate next = disk.trust.authority.sign({.common_name = "next client"});
    disk.trust.file("client.pem", next.certificate_pem());
    CHECK_FALSE(files->reread(good, disk.now));
    CHECK(files->current(disk.now).value() == good);
    disk.trust.file("client.key", next.key_pem());
    CHECK(files->reread(good, disk.now));
}
