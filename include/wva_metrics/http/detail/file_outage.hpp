// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/reading.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http::detail {

/// How long files have been unusable, and whether what was last read from them may still be used: a
/// file that is being replaced is unusable for a moment, but a secret that was withdrawn must not
/// stay in use for ever.
///
/// Reads nothing and has no clock: it is told the result of each reading, and the time.
class FileOutage {
public:
    /// `limit`: how long the last good content stays in use. `setting`: its name, for the error.
    FileOutage(Duration limit, std::string_view setting) : limit_(limit), setting_(setting) {}

    /// The files could not be used, for this reason.
    void record(Error problem, TimePoint now) {
        if (!since_)
            since_ = now;
        problem_ = std::move(problem);
    }
    /// The files could be used.
    void end() noexcept { since_.reset(); }

    /// True if the files could not be used when they were last read.
    bool is_on() const noexcept { return since_.has_value(); }

    /// Why the last good content must no longer be used; nothing if it may be.
    std::optional<Error> error(TimePoint now) const {
        if (!since_ || now - *since_ < limit_)
            return std::nullopt;
        return Error(Errc::invalid_config, problem_.message +
                                               "; what was read before was used for " +
                                               std::string(setting_) + " = " +
                                               format_duration(limit_) + " and is too old now");
    }

private:
    const Duration limit_;
    const std::string_view setting_;
    std::optional<TimePoint> since_;
    Error problem_;
};

} // namespace wva_metrics::http::detail
