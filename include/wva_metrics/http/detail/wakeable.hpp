// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wva_metrics::http::detail {

/// Something that waits and can be woken from any thread: a `Call`.
class Wakeable {
public:
    /// Something that it waits for has happened.
    virtual void post_wake() = 0;

protected:
    Wakeable() = default;
    Wakeable(const Wakeable&) = default;
    Wakeable& operator=(const Wakeable&) = default;
    ~Wakeable() = default;
};

} // namespace wva_metrics::http::detail
