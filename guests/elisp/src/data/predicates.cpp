// Type predicates and type-of (data.c of GNU).
#include "neovm/abi/api.hpp"
#include "rows.hpp"

namespace neovm::elisp {
namespace {

bool is_array(Value v) { return v.is_string() || is_vector(v) || is_char_table(v) || is_bool_vector(v); }
bool is_buffer(Context& cx, Value v) { return host_hooks(cx).is_buffer != nullptr && host_hooks(cx).is_buffer(v); }
bool is_marker(Context& cx, Value v) { return host_hooks(cx).is_marker != nullptr && host_hooks(cx).is_marker(v); }
// Host objects that no layer has registered do not exist, so a type symbol is all there is to compare.
bool is_host_of_type(Value v, Value type_symbol) {
  return is_kind(v, ObjectKind::kHost) && v.as_pointer<HostObject>()->type->type_symbol == type_symbol;
}

}  // namespace

DATA_LOOKS(null, "null", 1, 1, "Return t if OBJECT is nil.")(Context&, Value v) { return boolean(v.is_nil()); }
DATA_LOOKS(eq, "eq", 2, 2, "Return t if the two arguments are the same object.")(Context&, Value a, Value b) {
  return boolean(a == b);
}
DATA_LOOKS(consp, "consp", 1, 1, "Return t if OBJECT is a cons cell.")(Context&, Value v) {
  return boolean(v.is_cons());
}
DATA_LOOKS(atom, "atom", 1, 1, "Return t if OBJECT is not a cons cell.")(Context&, Value v) {
  return boolean(!v.is_cons());
}
DATA_LOOKS(listp, "listp", 1, 1, "Return t if OBJECT is a cons cell or nil.")(Context&, Value v) {
  return boolean(v.is_list());
}
DATA_LOOKS(nlistp, "nlistp", 1, 1, "Return t if OBJECT is neither a cons cell nor nil.")(Context&, Value v) {
  return boolean(!v.is_list());
}
DATA_LOOKS(symbolp, "symbolp", 1, 1, "Return t if OBJECT is a symbol.")(Context&, Value v) {
  return boolean(v.is_symbol());
}
DATA_LOOKS(keywordp, "keywordp", 1, 1,
           "Return t if OBJECT is a keyword: an interned symbol whose name starts with a colon.")
(Context& cx, Value v) {
  if (!v.is_symbol()) return kNil;
  const std::string_view name = symbol_name_view(cx, v);
  return boolean(!name.empty() && name[0] == ':' && intern_soft(cx, name) == v);
}
DATA_LOOKS(vectorp, "vectorp", 1, 1, "Return t if OBJECT is a vector.")(Context&, Value v) {
  return boolean(is_vector(v));
}
DATA_LOOKS(recordp, "recordp", 1, 1, "Return t if OBJECT is a record.")(Context&, Value v) {
  return boolean(is_record(v));
}
DATA_LOOKS(stringp, "stringp", 1, 1, "Return t if OBJECT is a string.")(Context&, Value v) {
  return boolean(v.is_string());
}
DATA_LOOKS(multibyte_string_p, "multibyte-string-p", 1, 1,
           "Return t if OBJECT is a string of characters rather than bytes.")
(Context&, Value v) { return boolean(v.is_string() && string_multibyte(v)); }
DATA_LOOKS(char_table_p, "char-table-p", 1, 1, "Return t if OBJECT is a char-table.")(Context&, Value v) {
  return boolean(is_char_table(v));
}
DATA_LOOKS(vector_or_char_table_p, "vector-or-char-table-p", 1, 1, "Return t if OBJECT is a vector or a char-table.")
(Context&, Value v) { return boolean(is_vector(v) || is_char_table(v)); }
DATA_LOOKS(bool_vector_p, "bool-vector-p", 1, 1, "Return t if OBJECT is a bool-vector.")(Context&, Value v) {
  return boolean(is_bool_vector(v));
}
DATA_LOOKS(arrayp, "arrayp", 1, 1, "Return t if OBJECT is a string, vector, char-table or bool-vector.")
(Context&, Value v) { return boolean(is_array(v)); }
DATA_LOOKS(sequencep, "sequencep", 1, 1, "Return t if OBJECT is a list or an array.")(Context&, Value v) {
  return boolean(v.is_list() || is_array(v));
}
DATA_LOOKS(bufferp, "bufferp", 1, 1, "Return t if OBJECT is a buffer.")(Context& cx, Value v) {
  return boolean(is_buffer(cx, v));
}
DATA_LOOKS(markerp, "markerp", 1, 1, "Return t if OBJECT is a marker.")(Context& cx, Value v) {
  return boolean(is_marker(cx, v));
}
DATA_LOOKS(user_ptrp, "user-ptrp", 1, 1, "Return t if OBJECT is a pointer object of a module.")(Context&, Value v) {
  return boolean(is_host_of_type(v, Quser_ptr));
}
DATA_LOOKS(subrp, "subrp", 1, 1, "Return t if OBJECT is a built-in function or special form.")(Context&, Value v) {
  return boolean(is_subr(v));
}
DATA_LOOKS(byte_code_function_p, "byte-code-function-p", 1, 1, "Return t if OBJECT is a function in byte-code form.")
(Context&, Value v) { return boolean(is_byte_code(v)); }
DATA_LOOKS(module_function_p, "module-function-p", 1, 1,
           "Return t if OBJECT is a function defined by a dynamic module.")
(Context&, Value v) { return boolean(is_host_of_type(v, Qmodule_function)); }
DATA_LOOKS(subr_native_elisp_p, "subr-native-elisp-p", 1, 1,
           "Return t if OBJECT is a function of a native-comp unit; there are none.")
(Context&, Value) { return kNil; }
DATA_LOOKS(char_or_string_p, "char-or-string-p", 1, 1, "Return t if OBJECT is a character or a string.")
(Context&, Value v) { return boolean(is_character(v) || v.is_string()); }
DATA_LOOKS(integerp, "integerp", 1, 1, "Return t if OBJECT is an integer.")(Context&, Value v) {
  return boolean(is_integer(v));
}
DATA_LOOKS(natnump, "natnump", 1, 1, "Return t if OBJECT is an integer that is not negative.")(Context&, Value v) {
  return boolean(v.is_natnum_fixnum() || (is_bignum(v) && header_raw(v)->aux == 0));
}
DATA_LOOKS(floatp, "floatp", 1, 1, "Return t if OBJECT is a floating-point number.")(Context&, Value v) {
  return boolean(v.is_float());
}
DATA_LOOKS(numberp, "numberp", 1, 1, "Return t if OBJECT is an integer or a floating-point number.")
(Context&, Value v) { return boolean(is_number(v)); }
DATA_LOOKS(number_or_marker_p, "number-or-marker-p", 1, 1, "Return t if OBJECT is a number or a marker.")
(Context& cx, Value v) { return boolean(is_number(v) || is_marker(cx, v)); }
DATA_LOOKS(integer_or_marker_p, "integer-or-marker-p", 1, 1, "Return t if OBJECT is an integer or a marker.")
(Context& cx, Value v) { return boolean(is_integer(v) || is_marker(cx, v)); }
DATA_LOOKS(threadp, "threadp", 1, 1, "Return t if OBJECT is a thread.")(Context&, Value v) {
  return boolean(is_host_of_type(v, Qthread));
}
DATA_LOOKS(mutexp, "mutexp", 1, 1, "Return t if OBJECT is a mutex.")(Context&, Value v) {
  return boolean(is_host_of_type(v, Qmutex));
}
DATA_LOOKS(condition_variable_p, "condition-variable-p", 1, 1, "Return t if OBJECT is a condition variable.")
(Context&, Value v) { return boolean(is_host_of_type(v, Qcondition_variable)); }

DATA_LOOKS(type_of, "type-of", 1, 1, "Return a symbol that names the type of OBJECT; for a record, its type.")
(Context& cx, Value v) {
  if (v.is_fixnum()) return Qinteger;
  if (v.is_symbol()) return Qsymbol;
  if (v.is_string()) return Qstring;
  if (v.is_cons()) return Qcons;
  if (v.is_float()) return Qfloat;
  switch (header_raw(v)->kind) {
    case ObjectKind::kBignum: return Qinteger;
    case ObjectKind::kBoolVector: return Qbool_vector;
    case ObjectKind::kVector: return Qvector;
    case ObjectKind::kRecord: {
      const Value type = slot_raw(v, 0);
      return is_record(type) && slot_count_raw(type) > 1 ? slot_raw(type, 1) : type;
    }
    case ObjectKind::kByteCode: return Qcompiled_function;
    case ObjectKind::kCharTable: return Qchar_table;
    case ObjectKind::kSubCharTable: return Qsub_char_table;
    case ObjectKind::kHashTable: return Qhash_table;
    case ObjectKind::kFinalizer: return Qfinalizer;
    case ObjectKind::kSubr: return Qsubr;
    case ObjectKind::kHost: return v.as_pointer<HostObject>()->type->type_symbol;
    case ObjectKind::kArrayList: return intern(cx, "array-list");
    default: return kNil;
  }
}

}  // namespace neovm::elisp
