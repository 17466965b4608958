// locale-info. The program sets LC_CTYPE and LC_TIME from the environment at start.
#include <langinfo.h>

#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

namespace {

Value names(Context& cx, const nl_item* items, int count) {
  const Value v = make_vector(cx, count, kNil);
  if (v.is_exit()) return v;
  for (int i = 0; i < count; ++i) {
    const Value name = TRY(make_string(cx, nl_langinfo(items[i])));
    set_slot_raw(v, i, name);
  }
  return v;
}

NEOVM_PRIMITIVE(locale_info, "locale-info", 1, 1, kMainOnly, kStateRead, kMayGc, kNoReentry, kNondeterministic,
                "Return what the locale says about ITEM: codeset, days, months or paper.")
(Context& cx, Value item) {
  if (!item.is_symbol()) return kNil;
  const std::string_view name = symbol_name_view(cx, item);
  if (name == "codeset") return make_unibyte_string(cx, nl_langinfo(CODESET));
  if (name == "days") {
    static constexpr nl_item kDays[] = {DAY_1, DAY_2, DAY_3, DAY_4, DAY_5, DAY_6, DAY_7};
    return names(cx, kDays, 7);
  }
  if (name == "months") {
    static constexpr nl_item kMonths[] = {MON_1, MON_2, MON_3, MON_4,  MON_5,  MON_6,
                                          MON_7, MON_8, MON_9, MON_10, MON_11, MON_12};
    return names(cx, kMonths, 12);
  }
  if (name == "paper") {
    // glibc hands these two integers over in the place of the pointer.
    const auto width = reinterpret_cast<std::intptr_t>(nl_langinfo(_NL_PAPER_WIDTH));
    const auto height = reinterpret_cast<std::intptr_t>(nl_langinfo(_NL_PAPER_HEIGHT));
    return list(cx, {Value::fixnum(static_cast<int>(width)), Value::fixnum(static_cast<int>(height))});
  }
  return kNil;
}

}  // namespace
}  // namespace neomacs::host
