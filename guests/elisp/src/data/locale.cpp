// locale-info: what the C locale says about itself.
#include <langinfo.h>

#include "neovm/core/context.hpp"
#include "rows.hpp"

namespace neovm::elisp {

namespace {
Value item_string(Context& cx, nl_item item) { return make_string(cx, nl_langinfo(item)); }
}  // namespace

DATA_VARIES(locale_info, "locale-info", 1, 1,
            "Return the locale's ITEM: codeset, days, months or paper; nil when there is none.")
(Context& cx, Value item) {
  if (item == intern(cx, "codeset")) return item_string(cx, CODESET);
  if (item == intern(cx, "days")) {
    const Value days = TRY(make_vector(cx, 7, kNil));
    static constexpr nl_item kDays[] = {DAY_1, DAY_2, DAY_3, DAY_4, DAY_5, DAY_6, DAY_7};
    for (int i = 0; i < 7; ++i) set_slot_raw(days, i, TRY(item_string(cx, kDays[i])));
    return days;
  }
  if (item == intern(cx, "months")) {
    const Value months = TRY(make_vector(cx, 12, kNil));
    static constexpr nl_item kMonths[] = {MON_1, MON_2, MON_3, MON_4,  MON_5,  MON_6,
                                          MON_7, MON_8, MON_9, MON_10, MON_11, MON_12};
    for (int i = 0; i < 12; ++i) set_slot_raw(months, i, TRY(item_string(cx, kMonths[i])));
    return months;
  }
  if (item == intern(cx, "paper")) {
    // glibc's own items: paper width and height in millimetres.
    return list(cx, {Value::fixnum(reinterpret_cast<std::intptr_t>(nl_langinfo(_NL_PAPER_WIDTH)) & 0xFFFF),
                     Value::fixnum(reinterpret_cast<std::intptr_t>(nl_langinfo(_NL_PAPER_HEIGHT)) & 0xFFFF)});
  }
  return kNil;
}

}  // namespace neovm::elisp
