// Keymaps: lists (keymap [CHAR-TABLE] (EVENT . BINDING)… [PROMPT] . PARENT).
//
// Events are characters with modifier bits, symbols whose names carry modifier prefixes, or lists whose head
// is such a symbol. A meta character is looked up as ESC followed by the plain one.
#pragma once

#include "neovm/abi/api.hpp"

namespace neovm::elisp {

inline constexpr std::int64_t kAltModifier = std::int64_t{1} << 22;
inline constexpr std::int64_t kSuperModifier = std::int64_t{1} << 23;
inline constexpr std::int64_t kHyperModifier = std::int64_t{1} << 24;
inline constexpr std::int64_t kShiftModifier = std::int64_t{1} << 25;
inline constexpr std::int64_t kControlModifier = std::int64_t{1} << 26;
inline constexpr std::int64_t kMetaModifier = std::int64_t{1} << 27;
inline constexpr std::int64_t kModifierMask =
    kAltModifier | kSuperModifier | kHyperModifier | kShiftModifier | kControlModifier | kMetaModifier;
// Modifiers that only symbols carry.
inline constexpr std::int64_t kUpModifier = 1;
inline constexpr std::int64_t kDownModifier = 2;
inline constexpr std::int64_t kDragModifier = 4;
inline constexpr std::int64_t kClickModifier = 8;
inline constexpr std::int64_t kDoubleModifier = 16;
inline constexpr std::int64_t kTripleModifier = 32;

// ---- events (events.cpp) ---------------------------------------------------------------------------------
struct ParsedEvent {
  Value base;
  std::int64_t modifiers;
};
// Splits the name of an event symbol: C-M-down-mouse-1 is mouse-1 with control, meta, down.
ParsedEvent parse_event_symbol(Context& cx, Value symbol);
// The symbol for BASE with MODIFIERS, prefixes in the canonical order.
Value apply_modifiers(Context& cx, std::int64_t modifiers, Value base);
Value reorder_modifiers(Context& cx, Value symbol);
// (control meta ?a) and the like to one event; fails as event-convert-list does.
Value convert_event_list(Context& cx, Value description);
// Text of one event as in key-description, without the angle brackets of symbols.
std::string character_description(std::int64_t c);
Value single_key_description(Context& cx, Value key, bool no_angles);

// ---- maps (keymap.cpp) --------------------------------------------------------------------------------------
// OBJECT as a keymap: a list that starts with `keymap`, or a symbol whose function is one; autoloads when
// asked. Gives nil, or signals when `error`.
Value get_keymap_re(Context& cx, Value object, bool error, bool autoload);
// Binding of one event, kUnbound when there is none; a nil binding shadows the parent's.
Value access_keymap_re(Context& cx, Value map, Value event, bool t_ok, bool no_inherit, bool autoload);
Value store_in_keymap(Context& cx, Value map, Value event, Value definition);
Value keymap_parent_re(Context& cx, Value map, bool autoload);
// Takes menu items and prompts off a binding; runs :filter functions.
Value binding_definition_re(Context& cx, Value binding, bool autoload);
// Appends (EVENT . BINDING) of MAP alone, or with its parents, to `out`.
Value collect_bindings_re(Context& cx, Value map, bool parents, Value* out);
Value lookup_key_re(Context& cx, Value map, Value keys, bool accept_default);
Value current_active_maps_re(Context& cx, bool olp, Value position);

}  // namespace neovm::elisp
