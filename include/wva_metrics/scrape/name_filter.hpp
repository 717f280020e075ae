// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/page_change.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace wva_metrics::scrape {

/// How a server answers a request for certain metrics, `/metrics?name[]=A&name[]=B`.
enum class NameFilterVerdict {
    /// It has not been asked yet, or has changed since.
    unknown,
    /// It sends these metrics only, as the Python client of Prometheus does.
    obeys,
    /// It sends the whole page, or nearly so: there is nothing to gain.
    ignores,
    /// It leaves out what it has: an empty page, a part, or an error. It must not be asked so.
    hides
};

/// The verdict as a word: "unknown", "obeys", "ignores", "hides".
constexpr std::string_view to_string(NameFilterVerdict verdict) noexcept {
    switch (verdict) {
    case NameFilterVerdict::obeys:
        return "obeys";
    case NameFilterVerdict::ignores:
        return "ignores";
    case NameFilterVerdict::hides:
        return "hides";
    case NameFilterVerdict::unknown:
        break;
    }
    return "unknown";
}

/// Decides which scrapes of a target ask for certain metrics only. Pure: the time is passed in.
///
/// It learns from the scrapes themselves, so that a server that ignores the names costs nothing: the
/// first page is a whole one, and the second request has the names. A page that was asked for by
/// names counts only if it has every series that the page before had. Otherwise the same scrape reads
/// the whole page, and only a whole page can show that a series has ended. So a wrong verdict costs
/// one more request, and never a value; an empty page is never taken for an idle server.
///
/// Per scrape: `begin`, then one of `read_some`, `some_failed`, `read_whole` and `whole_failed`. After
/// `some_failed`, and after a `read_some` that was false, the whole page follows.
///
/// **Threads:** one at a time.
class NameFilter {
public:
    /// `whole_page_every`: a whole page is read at least so often, because a server may hide a series
    /// that is new to it. If it is not longer than the time between two scrapes, none asks for names.
    explicit NameFilter(Duration whole_page_every) : whole_page_every_(whole_page_every) {}

    /// A scrape begins. True if it should ask for the names; else for the whole page.
    bool begin(TimePoint now) noexcept {
        doubt_ = Doubt::none;
        const bool may_ask =
            verdict_ == NameFilterVerdict::unknown || verdict_ == NameFilterVerdict::obeys;
        return may_ask && has_series_ && whole_at_ && now - *whole_at_ < whole_page_every_;
    }

    /// A page of so many bytes that was asked for by names has been read. False if it must not count, and the whole
    /// page has to be read instead.
    bool read_some(const PageChange& page, std::size_t bytes) noexcept {
        if (page.known == 0 || page.missing > 0) {
            doubt_ = Doubt::lacks;
            return false;
        }
        doubts_ = 0;
        if (bytes <= whole_bytes_ / 2) {
            verdict_ = NameFilterVerdict::obeys;
        } else if (verdict_ == NameFilterVerdict::obeys) {
            // Another server, or the whole page has grown too. The next ones tell.
            forget();
        } else {
            verdict_ = NameFilterVerdict::ignores;
        }
        return true;
    }

    /// A request with names has failed: an HTTP status, no answer, a page that cannot be read. The
    /// whole page has to be read instead.
    void some_failed() noexcept { doubt_ = Doubt::failed; }

    /// A whole page of so many bytes has been read.
    void read_whole(const PageChange& page, std::size_t bytes, TimePoint now) noexcept {
        // E.g. after a restart that no scrape has met, the process id of each series is another.
        const bool is_another_server = page.known > 0 && page.missing == page.known;
        if (doubt_ == Doubt::failed)
            verdict_ = NameFilterVerdict::hides;
        else if (doubt_ == Doubt::lacks && page.known > 0 &&
                 (page.missing == 0 || ++doubts_ >= max_doubts))
            verdict_ = NameFilterVerdict::hides;
        else if (doubt_ == Doubt::lacks || is_another_server)
            verdict_ = NameFilterVerdict::unknown; // The series have really ended.
        doubt_ = Doubt::none;
        whole_at_ = now;
        whole_bytes_ = bytes;
        has_series_ = page.series > 0;
    }

    /// The whole page could not be read. Another server may come after it, so that the next page is a
    /// whole one, and nothing is known.
    void whole_failed() noexcept {
        forget();
        doubts_ = 0;
    }

    /// What is known of the server.
    NameFilterVerdict verdict() const noexcept { return verdict_; }

private:
    /// What came of a request with names in this scrape.
    enum class Doubt { none, lacks, failed };
    /// So often in succession, a page may lack series that the whole page lacked soon after.
    static constexpr int max_doubts = 3;

    void forget() noexcept {
        verdict_ = NameFilterVerdict::unknown;
        whole_at_.reset();
        doubt_ = Doubt::none;
    }

    const Duration whole_page_every_;
    NameFilterVerdict verdict_ = NameFilterVerdict::unknown;
    /// When the last whole page was read; empty if the next one has to be whole.
    std::optional<TimePoint> whole_at_{};
    std::size_t whole_bytes_ = 0;
    bool has_series_ = false;
    Doubt doubt_ = Doubt::none;
    int doubts_ = 0;
};

} // namespace wva_metrics::scrape
