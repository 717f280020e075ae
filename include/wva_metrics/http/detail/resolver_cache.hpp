// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace wva_metrics::http::detail {

/// The addresses of one host, and the one question about them that may be on its way. Thread-safe;
/// does no I/O, and is told the time.
///
/// A look-up cannot be cancelled. So callers wait for it only as long as they like, and those who
/// come while a slow one is still on its way join it instead of asking once more.
class AddressBook {
public:
    using Addresses = std::vector<tcp::endpoint>;

    AddressBook(const std::string& host, std::uint16_t port, Duration lifetime,
                std::size_t max_addresses)
        : lifetime_(lifetime), max_addresses_(max_addresses) {
        boost::system::error_code failure;
        const auto address = asio::ip::make_address(host, failure);
        if (!failure)
            literal_ = Addresses{tcp::endpoint(address, port)};
    }

    /// What is known: a literal address for ever, found ones for their lifetime.
    std::optional<Addresses> find(TimePoint now) const {
        const std::lock_guard lock(mutex_);
        if (literal_)
            return literal_;
        if (!addresses_.empty() && now - found_at_ < lifetime_)
            return addresses_;
        return std::nullopt;
    }

    /// A question on its way.
    struct Question {
        bool answered = false;
        boost::system::error_code error;
        Addresses addresses;
        std::unordered_set<Call*> waiting;
    };

    /// A call's share in the question: it is woken when the answer is there. Given up on
    /// destruction.
    class Waiter {
    public:
        Waiter(AddressBook& book, Call& call) : book_(book), call_(call) {
            const std::lock_guard lock(book_.mutex_);
            if (!book_.question_) {
                book_.question_ = std::make_shared<Question>();
                must_ask_ = true;
            }
            question_ = book_.question_;
            question_->waiting.insert(&call_);
        }
        ~Waiter() {
            const std::lock_guard lock(book_.mutex_);
            question_->waiting.erase(&call_);
        }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

        /// Nobody else has asked yet: this call must, and see to it that `answer` is called.
        bool must_ask() const noexcept { return must_ask_; }
        bool is_answered() const {
            const std::lock_guard lock(book_.mutex_);
            return question_->answered;
        }
        // An answered question does not change any more.
        const boost::system::error_code& error() const noexcept { return question_->error; }
        const Addresses& addresses() const noexcept { return question_->addresses; }

    private:
        AddressBook& book_;
        Call& call_;
        std::shared_ptr<Question> question_;
        bool must_ask_ = false;
    };

    void answer(const boost::system::error_code& error, Addresses addresses, TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (!question_)
            return;
        if (addresses.size() > max_addresses_)
            addresses.resize(max_addresses_);
        if (!error) {
            addresses_ = addresses;
            found_at_ = now;
        }
        question_->error = error;
        question_->addresses = std::move(addresses);
        question_->answered = true;
        // Under the lock, because a call may be gone right after it.
        for (Call* call : question_->waiting)
            call->post_wake();
        question_.reset();
    }

    /// None of them could be connected to: look the name up again next time.
    void forget() {
        const std::lock_guard lock(mutex_);
        addresses_.clear();
    }

    /// This one works: try it first next time.
    void prefer(const tcp::endpoint& address) {
        const std::lock_guard lock(mutex_);
        const auto found = std::find(addresses_.begin(), addresses_.end(), address);
        if (found != addresses_.end())
            std::rotate(addresses_.begin(), found, found + 1);
    }

    /// Nobody is woken any more.
    void close() {
        const std::lock_guard lock(mutex_);
        question_.reset();
    }

private:
    const Duration lifetime_;
    const std::size_t max_addresses_;
    std::optional<Addresses> literal_;
    mutable std::mutex mutex_;
    Addresses addresses_;
    TimePoint found_at_{};
    std::shared_ptr<Question> question_;
};

} // namespace wva_metrics::http::detail
