// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "soak/report.hpp"
#include "soak/world.hpp"
#include "support/certificates.hpp"
#include "support/real_prometheus.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace wva_metrics::soak {

/// Writes the files of a `World`, and replaces them as badly as is usual: first empty, then half.
class Rotation {
public:
    explicit Rotation(World::Files files) : files_(std::move(files)) {
        replace_token();
        replace_certificate();
    }

    void replace_token() {
        write_badly(files_.token(), "soak-token-" + std::to_string(++tokens_) + "-of-the-front");
    }

    /// Another authority, and a certificate of it.
    void replace_certificate() {
        using test_support::Certificate;
        const Certificate authority = Certificate::authority("Soak CA");
        const Certificate server = authority.sign(
            {.common_name = "localhost", .alternative_names = "DNS:localhost,IP:127.0.0.1"});
        write_badly(files_.authority(), authority.certificate_pem());
        const std::filesystem::path unfinished = files_.directory / "identity.new";
        test_support::write_file(unfinished, server.certificate_pem() + server.key_pem());
        std::filesystem::rename(unfinished, files_.identity());
    }

private:
    static void write_badly(const std::filesystem::path& path, const std::string& text) {
        std::ofstream file(path, std::ios::trunc);
        const auto write_part = [&](std::string_view part) {
            file << part << std::flush;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        };
        write_part({});
        write_part(std::string_view(text).substr(0, text.size() / 2));
        write_part(std::string_view(text).substr(text.size() / 2));
    }

    World::Files files_;
    std::size_t tokens_ = 0;
};

/// A wait that another thread, or a signal, may end.
class Stop {
public:
    explicit Stop(std::function<bool()> is_wanted) : is_wanted_(std::move(is_wanted)) {}

    /// False if the time has not passed, because the end is wanted.
    bool wait_for(std::chrono::milliseconds time) const {
        const auto until = std::chrono::steady_clock::now() + time;
        while (!is_wanted_() && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return !is_wanted_();
    }
    template <typename Condition>
    bool wait_until(std::chrono::milliseconds patience, Condition holds) const {
        const auto give_up = std::chrono::steady_clock::now() + patience;
        while (!holds() && std::chrono::steady_clock::now() < give_up)
            if (!wait_for(std::chrono::milliseconds(500)))
                return false;
        return holds();
    }

private:
    std::function<bool()> is_wanted_;
};

/// One fault after the other: kills Prometheus and starts it again, replaces token and certificate.
class Faults {
public:
    Faults(test_support::RealPrometheus& prometheus, Rotation& rotation, Report report,
           const Stop& stop, std::chrono::milliseconds period)
        : prometheus_(prometheus), rotation_(rotation), report_(std::move(report)), stop_(stop),
          period_(period) {}

    /// All of them once, within about a period. False if the end is wanted.
    bool run_once() {
        // Short outages, which the cache hides, and long ones, which open the circuit breaker.
        constexpr std::array parts_of_period = {0.05, 0.5, 0.1, 0.3};
        const auto part = [&](double share) {
            return std::chrono::duration_cast<std::chrono::milliseconds>(share * period_);
        };
        prometheus_.kill_hard();
        report_.count("faults: Prometheus killed");
        const bool goes_on =
            stop_.wait_for(part(parts_of_period[done_++ % parts_of_period.size()]));
        prometheus_.start();
        report_.count("faults: Prometheus restarted");
        if (!goes_on || !stop_.wait_for(part(0.1)))
            return false;
        rotation_.replace_token();
        report_.count("faults: token replaced");
        if (!stop_.wait_for(part(0.1)))
            return false;
        rotation_.replace_certificate();
        report_.count("faults: certificate and authority replaced");
        return stop_.wait_for(part(0.1));
    }

private:
    test_support::RealPrometheus& prometheus_;
    Rotation& rotation_;
    Report report_;
    const Stop& stop_;
    std::chrono::milliseconds period_;
    std::size_t done_ = 0;
};

} // namespace wva_metrics::soak
