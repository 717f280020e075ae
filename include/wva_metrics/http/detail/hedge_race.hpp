// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/guarded_send.hpp"
#include "wva_metrics/http/message.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace wva_metrics::http::detail {

/// Two attempts at one request that race for its answer. On the strand of both calls.
///
/// It refers to the request, the deadline and the options of the first one until `End`; after that
/// the second one neither begins nor delivers anything.
template <typename Executor>
class HedgeRace {
public:
    using CallPtr = std::shared_ptr<Call<Executor>>;

    HedgeRace(CallPtr first_call, const Request& request, const Deadline& deadline,
              const BodyOptions& options)
        : first(std::move(first_call)),
          second(std::make_shared<Call<Executor>>(typename Call<Executor>::Beside{*first})),
          request_(&request), deadline_(&deadline), options_(&options) {}
    HedgeRace(const HedgeRace&) = delete;
    HedgeRace& operator=(const HedgeRace&) = delete;

    /// The end of the race, when this object is destroyed.
    class End {
    public:
        explicit End(HedgeRace& race) : race_(race) {}
        ~End() {
            race_.options_ = nullptr;
            race_.second->outrun();
        }
        End(const End&) = delete;
        End& operator=(const End&) = delete;

    private:
        HedgeRace& race_;
    };

    /// Nobody has won yet.
    bool is_open() const noexcept { return options_ != nullptr && winner_ == nullptr; }
    ///@{
    /// Only while it is open.
    const Request& request() const noexcept { return *request_; }
    const Deadline& deadline() const noexcept { return *deadline_; }
    ///@}

    /// The options of the request for one of the calls: its sink receives what that call delivers if
    /// it is the first to deliver something.
    static BodyOptions options_of(const std::shared_ptr<HedgeRace>& race, Call<Executor>& call) {
        if (race->options_->mode == BodyMode::collect)
            return {};
        BodyOptions options([race, &call](std::string_view piece) {
            return race->claim(call) && race->options_->sink(piece);
        });
        if (race->options_->on_head)
            options.on_head = [race, &call](const Response& head) {
                if (race->claim(call))
                    race->options_->on_head(head);
            };
        return options;
    }

    /// What came of the second attempt.
    void finish_second(Tried tried) {
        const bool has_delivered = winner_ == second.get();
        if (options_ == nullptr || !(has_delivered || (tried.is_answer && claim(*second))))
            return;
        answer = std::move(tried);
    }

    const CallPtr first;
    const CallPtr second;
    /// The second attempt has been sent, or may have been.
    bool is_second_sent = false;
    /// Nothing more will come of the second attempt.
    bool is_second_over = false;
    /// What came of the second attempt, if it won.
    std::optional<Tried> answer;

private:
    /// True if the call wins, or has won. Then the other one is stopped.
    bool claim(Call<Executor>& call) {
        if (is_open()) {
            winner_ = &call;
            (&call == first.get() ? second : first)->outrun();
        }
        return options_ != nullptr && winner_ == &call;
    }

    const Request* request_;
    const Deadline* deadline_;
    /// Null when the race has ended.
    const BodyOptions* options_;
    const Call<Executor>* winner_ = nullptr;
};

} // namespace wva_metrics::http::detail
