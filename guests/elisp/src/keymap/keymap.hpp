// Keymaps: lists (keymap ELEMENT… . PARENT). An element is (EVENT . BINDING), a char-table or a vector of bindings, a
// prompt string, or another keymap whose bindings count as this map's own. (Emacs Lisp manual, "Format of Keymaps",
// "Inheritance and Keymaps", "Key Lookup".)
//
// Events are characters with modifier bits, symbols whose names carry modifier prefixes, or lists whose head is such
// an event. A meta character is bound and looked up as two events: `meta-prefix-char` and the character without meta.
//
// Threads: everything here belongs to the isolate of its context. Functions with the suffix _re may run Lisp (menu
// filters, autoloads); all of them return Exit when an error is pending.
#pragma once

#include <string>

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

// ---- event names (event_names.cpp) ------------------------------------------------------------------------------
struct ParsedEvent {
  Value base;
  std::int64_t modifiers;
};
// Splits the name of an event symbol: C-M-down-mouse-1 is mouse-1 with control, meta, down.
ParsedEvent parse_event_symbol(Context& cx, Value symbol);
// The event under which maps hold EVENT: the head of a list, prefixes of symbols in the canonical order.
Value canonical_event(Context& cx, Value event);
// (control meta ?a) and the like to one event; fails as event-convert-list does.
Value convert_event_list(Context& cx, Value description);
// A list of symbols and characters, which event-convert-list understands.
bool is_event_description(Value v);

// ---- descriptions (descriptions.cpp) ----------------------------------------------------------------------------
Value single_key_description(Context& cx, Value key, bool no_angles);
// Text of a list of events.
Value describe_events(Context& cx, Value events);

// ---- key sequences (sequences.cpp) ------------------------------------------------------------------------------
// Strings and vectors of events.
bool is_key_sequence(Value v);
std::int64_t key_count(Value keys);
// Event I with (control ?a) made one event and a meta byte of a unibyte string made a meta character. Signals
// wrong-type-argument for what can be no event.
Value key_event(Context& cx, Value keys, std::int64_t i);
// `meta-prefix-char`, or ESC.
Value meta_prefix(Context& cx);

// ---- structure (structure.cpp) ----------------------------------------------------------------------------------
bool is_keymap_list(Value v);
enum class OnMissing : std::uint8_t { kNil, kSignal };
enum class Autoload : std::uint8_t { kNo, kYes };
// OBJECT as a keymap list: one itself, or a symbol whose function is one (autoloaded on request).
Value get_keymap_re(Context& cx, Value object, OnMissing missing, Autoload autoload);
Value keymap_parent_re(Context& cx, Value map, Autoload autoload);
// The map that ELEMENT of a keymap is, by itself or by its function; nil for none. Autoloads nothing.
Value embedded_keymap_re(Context& cx, Value element);
// What a binding means: menu items and their strings taken off, :filter functions run.
Value binding_definition_re(Context& cx, Value binding);
// The same without running the :filter of a menu item.
Value binding_without_filter(Value binding);
// Shown the bindings of a map one by one, in order. Runs no Lisp and changes no map; Exit ends the walk.
class BindingVisitor {
 public:
  virtual Value visit(Context& cx, Value event, Value binding) = 0;

 protected:
  ~BindingVisitor() = default;
};
// Shows what MAP binds, with its parents' bindings when `parents`. Without them it stops at the first map inside MAP, or at
// its parent, and returns the elements from there on.
Value each_binding_re(Context& cx, Value map, bool parents, BindingVisitor* visitor);
// Pushes (EVENT . BINDING) of each onto `*out`, the last one first, and returns what each_binding_re does.
Value collect_bindings_re(Context& cx, Value map, bool parents, Value* out);

// ---- lookup (lookup.cpp) ----------------------------------------------------------------------------------------
struct LookupOptions {
  bool accept_default = false;  // (t . BINDING) stands for events without a binding
  bool inherit = true;          // ask the parents
};
// Binding of one event in MAP; kUnbound when there is none, nil when it is explicitly unbound.
Value lookup_event_re(Context& cx, Value map, Value event, LookupOptions options);
// Binding of a whole sequence: nil when there is none, a fixnum when its first so many events are already complete.
Value lookup_key_re(Context& cx, Value map, Value keys, bool accept_default);
// A list of keymaps as one map, the first having precedence.
Value compose_maps_re(Context& cx, Value maps);

// ---- definition (define.cpp) ------------------------------------------------------------------------------------
void store_binding(Context& cx, Value map, Value event, Value definition);

struct ModeMaps {
  Value maps = kNil;   // in order of precedence
  Value modes = kNil;  // the mode variable of each
};
// The maps of the minor modes that are on. What minor-mode-overriding-map-alist says about a mode replaces what
// minor-mode-map-alist says.
Value minor_mode_maps_re(Context& cx, ModeMaps* out);
// The keymap that PROPERTY gives at POSITION: of the character after it, otherwise what a character inserted here
// would inherit from the text before.
Value property_map_re(Context& cx, Value position, Value property);

// ---- the active maps (active.cpp) -------------------------------------------------------------------------------
Value current_active_maps_re(Context& cx, bool overriding, Value position);
// What COMMAND is remapped to in the list MAPS, or nil.
Value remapping_in_re(Context& cx, Value command, Value maps);

}  // namespace neovm::elisp
