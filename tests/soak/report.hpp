// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/observer/events.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <malloc.h>

namespace wva_metrics::soak {

/// What this process holds.
struct Figures {
    std::size_t resident_kib = 0;
    /// What is allocated and not freed. The resident memory is more by what lies between.
    std::size_t allocated_kib = 0;
    std::size_t descriptors = 0;
    std::size_t threads = 0;

    static Figures now() {
        ::malloc_trim(0); // What is free, but kept for later, is no leak.
        Figures figures;
        const auto heap = ::mallinfo2();
        figures.allocated_kib = (heap.uordblks + heap.hblkhd) / 1024;
        std::ifstream status("/proc/self/status");
        for (std::string word; status >> word;) {
            if (word == "VmRSS:")
                status >> figures.resident_kib;
            else if (word == "Threads:")
                status >> figures.threads;
        }
        using Entries = std::filesystem::directory_iterator;
        // Without the descriptor of the listing itself.
        figures.descriptors =
            static_cast<std::size_t>(std::distance(Entries("/proc/self/fd"), {})) - 1;
        return figures;
    }

    friend std::ostream& operator<<(std::ostream& out, const Figures& figures) {
        return out << figures.resident_kib << " KiB resident, " << figures.allocated_kib
                   << " KiB allocated, " << figures.descriptors << " descriptors, "
                   << figures.threads << " threads";
    }
};

/// What has happened so far. Copies share it; all functions may be called from any thread.
class Report {
public:
    void count(const std::string& what, std::uint64_t times = 1) {
        const std::lock_guard lock(data_->mutex);
        data_->counts[what] += times;
    }
    std::uint64_t counted(const std::string& what) const {
        const std::lock_guard lock(data_->mutex);
        const auto found = data_->counts.find(what);
        return found == data_->counts.end() ? 0 : found->second;
    }
    /// Something that must not happen. The first few are kept with their words.
    void fail(std::string what) {
        const std::lock_guard lock(data_->mutex);
        constexpr std::size_t most = 20;
        ++data_->failed;
        if (data_->failures.size() < most)
            data_->failures.push_back(std::move(what));
    }
    bool has_failed() const {
        const std::lock_guard lock(data_->mutex);
        return data_->failed > 0;
    }

    friend std::ostream& operator<<(std::ostream& out, const Report& report) {
        const std::lock_guard lock(report.data_->mutex);
        for (const auto& [what, times] : report.data_->counts)
            out << "  " << what << ": " << times << '\n';
        for (const std::string& failure : report.data_->failures)
            out << "  FAILED: " << failure << '\n';
        if (report.data_->failed > report.data_->failures.size())
            out << "  FAILED: and " << report.data_->failed - report.data_->failures.size()
                << " more\n";
        return out;
    }

private:
    struct Data {
        std::mutex mutex;
        std::map<std::string, std::uint64_t> counts;
        std::vector<std::string> failures;
        std::uint64_t failed = 0;
    };
    std::shared_ptr<Data> data_ = std::make_shared<Data>();
};

/// Counts rounds, and errors by kind.
struct CountingObserver {
    Report report;

    void operator()(const events::RoundEnded& round) {
        report.count("rounds");
        if (round.failed == 0)
            report.count(good_rounds);
    }
    void operator()(const events::TargetFailed& target) {
        report.count("failed targets: " + std::string(target.error.code.message()));
    }
    void operator()(const events::RoundsSkipped& skipped) {
        report.count("rounds left out", skipped.rounds);
    }

    static constexpr const char* good_rounds = "rounds without an error";
};

} // namespace wva_metrics::soak
