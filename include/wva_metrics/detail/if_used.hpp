// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wva_metrics::detail {

/// `template <IfUsed = IfUsed::compile>` in front of a function makes it one that only a program
/// that calls it pays for. GCC translates every inline coroutine that is no template, used or not,
/// and for any other inline function all the templates that it calls: including the library took
/// three times as long without.
enum class IfUsed { compile };

} // namespace wva_metrics::detail
