// The searching commands (search.c of GNU).
#include "search/buffer_match.hpp"

namespace neomacs::host {
namespace {

Value search_command(Context& cx, Value pattern, Value bound, Value no_error, Value count, bool forward,
                     SearchKind kind) {
  std::int64_t n = forward ? 1 : -1;
  if (count.truthy()) n *= TRY(fixnum_argument(cx, count));
  TRY(check_type(cx, pattern.is_string(), Qstringp, pattern));
  Pos limit;
  {
    Buffer& b = current_buffer(cx);
    limit = n > 0 ? b.end : b.begin;
    if (bound.truthy()) {
      const std::int64_t at = TRY(position_argument(cx, bound));
      if (n > 0 ? at < b.point.chars : at > b.point.chars)
        return error_text(cx, "Invalid search bound (wrong side of point)");
      limit = clip(b, at);
    }
  }
  const std::int64_t found = TRY(search_buffer_re(cx, pattern, kind, n, limit));
  Buffer& b = current_buffer(cx);
  if (found <= 0) {
    if (no_error.is_nil()) return signal_error1(cx, Qsearch_failed, pattern);
    if (!(no_error == Qt)) set_point(b, clip(b, limit.chars));
    return kNil;
  }
  set_point(b, clip(b, found));
  return Value::fixnum(found);
}

}  // namespace

NEOVM_COMMAND(search_forward, "search-forward", 1, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "MSearch: ",
              "Search forward for STRING; leave point behind it and return point. Not past BOUND.\n"
              "NOERROR t: return nil when there is none; other non-nil: move to the bound too. COUNT: the COUNTth one.")
(Context& cx, Value string, Value bound, Value no_error, Value count) {
  return search_command(cx, string, bound, no_error, count, true, SearchKind::kPlain);
}

NEOVM_COMMAND(search_backward, "search-backward", 1, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "MSearch backward: ",
              "Search backward for STRING; leave point before it and return point. Not past BOUND.\n"
              "NOERROR t: return nil when there is none; other non-nil: move to the bound too. COUNT: the COUNTth one.")
(Context& cx, Value string, Value bound, Value no_error, Value count) {
  return search_command(cx, string, bound, no_error, count, false, SearchKind::kPlain);
}

NEOVM_COMMAND(re_search_forward, "re-search-forward", 1, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
              "sRE search: ",
              "Search forward for REGEXP; leave point behind the match and return point. Not past BOUND.\n"
              "NOERROR t: return nil when there is none; other non-nil: move to the bound too. COUNT: the COUNTth one.")
(Context& cx, Value regexp, Value bound, Value no_error, Value count) {
  return search_command(cx, regexp, bound, no_error, count, true, SearchKind::kRegexp);
}

NEOVM_COMMAND(re_search_backward, "re-search-backward", 1, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters,
              kDeterministic, "sRE search backward: ",
              "Search backward for REGEXP; leave point at the start of the match and return point. Not past BOUND.\n"
              "NOERROR t: return nil when there is none; other non-nil: move to the bound too. COUNT: the COUNTth one.")
(Context& cx, Value regexp, Value bound, Value no_error, Value count) {
  return search_command(cx, regexp, bound, no_error, count, false, SearchKind::kRegexp);
}

NEOVM_COMMAND(posix_search_forward, "posix-search-forward", 1, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters,
              kDeterministic, "sPosix search: ", "Like `re-search-forward', with the longest match at the place found.")
(Context& cx, Value regexp, Value bound, Value no_error, Value count) {
  return search_command(cx, regexp, bound, no_error, count, true, SearchKind::kPosix);
}

NEOVM_COMMAND(posix_search_backward, "posix-search-backward", 1, 4, kWorkerSafe, kStateWrite, kMayGc, kReenters,
              kDeterministic,
              "sPosix search backward: ", "Like `re-search-backward', with the longest match at the place found.")
(Context& cx, Value regexp, Value bound, Value no_error, Value count) {
  return search_command(cx, regexp, bound, no_error, count, false, SearchKind::kPosix);
}

NEOVM_PRIMITIVE(looking_at, "looking-at", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Return t if REGEXP matches the text after point. Sets the match data when it does.")
(Context& cx, Value regexp) {
  TRY(check_type(cx, regexp.is_string(), Qstringp, regexp));
  return boolean(TRY(looking_at_re(cx, regexp, SearchKind::kRegexp)));
}

NEOVM_PRIMITIVE(posix_looking_at, "posix-looking-at", 1, 1, kWorkerSafe, kStateWrite, kMayGc, kReenters, kDeterministic,
                "Like `looking-at', with the longest match.")
(Context& cx, Value regexp) {
  TRY(check_type(cx, regexp.is_string(), Qstringp, regexp));
  return boolean(TRY(looking_at_re(cx, regexp, SearchKind::kPosix)));
}

NEOVM_PRIMITIVE(newline_cache_check, "newline-cache-check", 0, 1, kWorkerSafe, kStateRead, kNoGc, kNoReentry,
                kDeterministic, "Return nil: BUFFER has no cache of newlines that could be compared with its text.")
(Context& cx, Value buffer) {
  TRY(buffer_or_current(cx, buffer));
  return kNil;
}

}  // namespace neomacs::host
