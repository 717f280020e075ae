// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace wva_metrics::http::detail {

/// The addresses of one host, and which of them failed lately. Does no I/O, and time is passed in.
///
/// An address is avoided after one failure, for a pause that doubles with each further failure. An
/// address is never refused: if all of them failed, the one whose pause ends first is used.
class AddressHealth {
public:
    using Addresses = std::vector<tcp::endpoint>;

    AddressHealth(Duration first_pause, Duration longest_pause)
        : first_pause_(first_pause), longest_pause_(longest_pause) {}

    /// Replaces the addresses. What is known of those that remain is kept.
    void assign(const Addresses& addresses) {
        std::vector<Entry> entries;
        for (const tcp::endpoint& address : addresses) {
            const auto known = find(address);
            entries.push_back(known == entries_.end() ? Entry{address} : *known);
        }
        entries_ = std::move(entries);
    }
    bool is_empty() const noexcept { return entries_.empty(); }

    /// The addresses in the order in which to try them: first the healthy ones, of these the one
    /// that served last; then the others by the ends of their pauses.
    Addresses sorted() const {
        std::vector<Entry> entries = entries_;
        std::stable_sort(entries.begin(), entries.end(), [](const Entry& left, const Entry& right) {
            return left.retry_at < right.retry_at;
        });
        Addresses addresses;
        for (const Entry& entry : entries)
            addresses.push_back(entry.address);
        return addresses;
    }

    /// The address served. Ignored if it is unknown.
    void succeeded(const tcp::endpoint& address) {
        const auto entry = find(address);
        if (entry == entries_.end())
            return;
        *entry = Entry{address};
        std::rotate(entries_.begin(), entry, entry + 1);
    }

    /// The address did not serve. Returns true if the next call should take another one: always,
    /// unless the host has no other.
    bool failed(const tcp::endpoint& address, TimePoint now) {
        const auto entry = find(address);
        if (entry == entries_.end())
            return true;
        // Several calls that fail together are one failure.
        if (now >= entry->retry_at)
            entry->pause = next_pause(*entry);
        entry->retry_at = now + entry->pause;
        return entries_.size() > 1;
    }

    /// An address whose pause is over and that should be tried by the one call that asks, while
    /// another address is healthy and serves all other calls. The next pause has begun.
    std::optional<tcp::endpoint> claim_probe(TimePoint now) {
        const auto due = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
            return !entry.is_healthy() && now >= entry.retry_at;
        });
        if (due == entries_.end() || !has_healthy())
            return std::nullopt;
        due->pause = next_pause(*due);
        due->retry_at = now + due->pause;
        return due->address;
    }

private:
    struct Entry {
        tcp::endpoint address;
        /// Zero if the address is healthy.
        Duration pause{};
        /// The end of the pause.
        TimePoint retry_at = TimePoint::min();

        bool is_healthy() const noexcept { return pause == Duration::zero(); }
    };

    std::vector<Entry>::iterator find(const tcp::endpoint& address) {
        return std::find_if(entries_.begin(), entries_.end(),
                            [&](const Entry& entry) { return entry.address == address; });
    }
    bool has_healthy() const {
        return std::any_of(entries_.begin(), entries_.end(),
                           [](const Entry& entry) { return entry.is_healthy(); });
    }
    Duration next_pause(const Entry& entry) const {
        return entry.is_healthy() ? first_pause_ : std::min(2 * entry.pause, longest_pause_);
    }

    Duration first_pause_;
    Duration longest_pause_;
    std::vector<Entry> entries_;
};

} // namespace wva_metrics::http::detail
