// Primitives of Emacs that are not built: their names are bound, with Emacs's arity, so that a program that asks for one by
// `fboundp' or calls it is told `neovm-unimplemented' and not that nothing of the name exists. One row each, by GNU's files.
// A row goes when the thing is built.
#include "neovm/abi/api.hpp"

namespace neomacs::host {

using namespace neovm;  // NOLINT

#define NEOVM_UNBUILT(id, name, min, max, parameters)                                                             \
  NEOVM_PRIMITIVE(id, name, min, max, kMainOnly, kPureRead, kMayGc, kNoReentry, kDeterministic, "Not built yet.") \
  parameters { return unimplemented(cx, name); }
#define NEOVM_VALUES_0    (Context & cx)
#define NEOVM_VALUES_1    (Context & cx, Value)
#define NEOVM_VALUES_2    (Context & cx, Value, Value)
#define NEOVM_VALUES_3    (Context & cx, Value, Value, Value)
#define NEOVM_VALUES_4    (Context & cx, Value, Value, Value, Value)
#define NEOVM_VALUES_5    (Context & cx, Value, Value, Value, Value, Value)
#define NEOVM_VALUES_6    (Context & cx, Value, Value, Value, Value, Value, Value)
#define NEOVM_VALUES_7    (Context & cx, Value, Value, Value, Value, Value, Value, Value)
#define NEOVM_VALUES_MANY (Context & cx, Arguments)

// CCL
NEOVM_UNBUILT(unbuilt_ccl_execute, "ccl-execute", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_ccl_execute_on_string, "ccl-execute-on-string", 3, 5, NEOVM_VALUES_5)

// Legacy encodings of characters
NEOVM_UNBUILT(unbuilt_decode_big5_char, "decode-big5-char", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_decode_sjis_char, "decode-sjis-char", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_encode_big5_char, "encode-big5-char", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_encode_sjis_char, "encode-sjis-char", 1, 1, NEOVM_VALUES_1)

// Native code
NEOVM_UNBUILT(unbuilt_comp_compile_ctxt_to_file, "comp--compile-ctxt-to-file", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_comp_init_ctxt, "comp--init-ctxt", 0, 0, NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_comp_install_trampoline, "comp--install-trampoline", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_comp_late_register_subr, "comp--late-register-subr", 7, 7, NEOVM_VALUES_7)
NEOVM_UNBUILT(unbuilt_comp_register_lambda, "comp--register-lambda", 7, 7, NEOVM_VALUES_7)
NEOVM_UNBUILT(unbuilt_comp_register_subr, "comp--register-subr", 7, 7, NEOVM_VALUES_7)
NEOVM_UNBUILT(unbuilt_comp_release_ctxt, "comp--release-ctxt", 0, 0, NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_comp_el_to_eln_filename, "comp-el-to-eln-filename", 1, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_comp_el_to_eln_rel_filename, "comp-el-to-eln-rel-filename", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_comp_libgccjit_version, "comp-libgccjit-version", 0, 0, NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_comp_native_compiler_options_effective_p, "comp-native-compiler-options-effective-p", 0, 0,
              NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_comp_native_driver_options_effective_p, "comp-native-driver-options-effective-p", 0, 0,
              NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_native_elisp_load, "native-elisp-load", 1, 2, NEOVM_VALUES_2)

// Compositions
NEOVM_UNBUILT(unbuilt_composition_get_gstring, "composition-get-gstring", 4, 4, NEOVM_VALUES_4)

// D-Bus
NEOVM_UNBUILT(unbuilt_dbus_init_bus, "dbus--init-bus", 1, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_dbus_get_unique_name, "dbus-get-unique-name", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_dbus_message_internal, "dbus-message-internal", 4, kMany, NEOVM_VALUES_MANY)

// Mouse
NEOVM_UNBUILT(unbuilt_display_update_for_mouse_movement, "display--update-for-mouse-movement", 2, 2, NEOVM_VALUES_2)

// Modules
NEOVM_UNBUILT(unbuilt_module_load, "module-load", 1, 1, NEOVM_VALUES_1)

// Threads
NEOVM_UNBUILT(unbuilt_backtrace_frames_from_thread, "backtrace--frames-from-thread", 1, 1, NEOVM_VALUES_1)

// Fonts
NEOVM_UNBUILT(unbuilt_font_at, "font-at", 1, 3, NEOVM_VALUES_3)
NEOVM_UNBUILT(unbuilt_font_match_p, "font-match-p", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_font_shape_gstring, "font-shape-gstring", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_font_xlfd_name, "font-xlfd-name", 1, 2, NEOVM_VALUES_2)

// TLS
NEOVM_UNBUILT(unbuilt_gnutls_asynchronous_parameters, "gnutls-asynchronous-parameters", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_gnutls_boot, "gnutls-boot", 3, 3, NEOVM_VALUES_3)
NEOVM_UNBUILT(unbuilt_gnutls_bye, "gnutls-bye", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_gnutls_ciphers, "gnutls-ciphers", 0, 0, NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_gnutls_deinit, "gnutls-deinit", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_gnutls_digests, "gnutls-digests", 0, 0, NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_gnutls_error_fatalp, "gnutls-error-fatalp", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_gnutls_error_string, "gnutls-error-string", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_gnutls_format_certificate, "gnutls-format-certificate", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_gnutls_get_initstage, "gnutls-get-initstage", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_gnutls_hash_digest, "gnutls-hash-digest", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_gnutls_hash_mac, "gnutls-hash-mac", 3, 3, NEOVM_VALUES_3)
NEOVM_UNBUILT(unbuilt_gnutls_macs, "gnutls-macs", 0, 0, NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_gnutls_peer_status, "gnutls-peer-status", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_gnutls_peer_status_warning_describe, "gnutls-peer-status-warning-describe", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_gnutls_symmetric_decrypt, "gnutls-symmetric-decrypt", 4, 5, NEOVM_VALUES_5)
NEOVM_UNBUILT(unbuilt_gnutls_symmetric_encrypt, "gnutls-symmetric-encrypt", 4, 5, NEOVM_VALUES_5)

// Motion over columns
NEOVM_UNBUILT(unbuilt_compute_motion, "compute-motion", 7, 7, NEOVM_VALUES_7)

// File notification
NEOVM_UNBUILT(unbuilt_inotify_add_watch, "inotify-add-watch", 3, 3, NEOVM_VALUES_3)
NEOVM_UNBUILT(unbuilt_inotify_rm_watch, "inotify-rm-watch", 1, 1, NEOVM_VALUES_1)

// Keyboards
NEOVM_UNBUILT(unbuilt_posn_at_x_y, "posn-at-x-y", 2, 4, NEOVM_VALUES_4)
NEOVM_UNBUILT(unbuilt_suspend_emacs, "suspend-emacs", 0, 1, NEOVM_VALUES_1)

// Colour management
NEOVM_UNBUILT(unbuilt_lcms_cam02_ucs, "lcms-cam02-ucs", 2, 4, NEOVM_VALUES_4)
NEOVM_UNBUILT(unbuilt_lcms_cie_de2000, "lcms-cie-de2000", 2, 5, NEOVM_VALUES_5)
NEOVM_UNBUILT(unbuilt_lcms_jab_to_jch, "lcms-jab->jch", 1, 3, NEOVM_VALUES_3)
NEOVM_UNBUILT(unbuilt_lcms_jch_to_jab, "lcms-jch->jab", 1, 3, NEOVM_VALUES_3)
NEOVM_UNBUILT(unbuilt_lcms_jch_to_xyz, "lcms-jch->xyz", 1, 3, NEOVM_VALUES_3)
NEOVM_UNBUILT(unbuilt_lcms_temp_to_white_point, "lcms-temp->white-point", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_lcms_xyz_to_jch, "lcms-xyz->jch", 1, 3, NEOVM_VALUES_3)

// Menus
NEOVM_UNBUILT(unbuilt_x_popup_dialog, "x-popup-dialog", 2, 3, NEOVM_VALUES_3)

// Dumping
NEOVM_UNBUILT(unbuilt_dump_emacs_portable_sort_predicate, "dump-emacs-portable--sort-predicate", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_dump_emacs_portable_sort_predicate_copied, "dump-emacs-portable--sort-predicate-copied", 2, 2,
              NEOVM_VALUES_2)

// Processes and networks
NEOVM_UNBUILT(unbuilt_make_network_process, "make-network-process", 0, kMany, NEOVM_VALUES_MANY)
NEOVM_UNBUILT(unbuilt_make_serial_process, "make-serial-process", 0, kMany, NEOVM_VALUES_MANY)
NEOVM_UNBUILT(unbuilt_network_lookup_address_info, "network-lookup-address-info", 1, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_process_datagram_address, "process-datagram-address", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_process_filter_multibyte_p, "process-filter-multibyte-p", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_process_inherit_coding_system_flag, "process-inherit-coding-system-flag", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_process_running_child_p, "process-running-child-p", 0, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_serial_process_configure, "serial-process-configure", 0, kMany, NEOVM_VALUES_MANY)
NEOVM_UNBUILT(unbuilt_set_network_process_option, "set-network-process-option", 3, 4, NEOVM_VALUES_4)
NEOVM_UNBUILT(unbuilt_set_process_datagram_address, "set-process-datagram-address", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_set_process_filter_multibyte, "set-process-filter-multibyte", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_set_process_inherit_coding_system_flag, "set-process-inherit-coding-system-flag", 2, 2,
              NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_set_process_thread, "set-process-thread", 2, 2, NEOVM_VALUES_2)
NEOVM_UNBUILT(unbuilt_set_process_window_size, "set-process-window-size", 3, 3, NEOVM_VALUES_3)

// The profiler
NEOVM_UNBUILT(unbuilt_profiler_cpu_log, "profiler-cpu-log", 0, 0, NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_profiler_cpu_start, "profiler-cpu-start", 1, 1, NEOVM_VALUES_1)
NEOVM_UNBUILT(unbuilt_profiler_memory_log, "profiler-memory-log", 0, 0, NEOVM_VALUES_0)
NEOVM_UNBUILT(unbuilt_profiler_memory_start, "profiler-memory-start", 0, 0, NEOVM_VALUES_0)

// Sound
NEOVM_UNBUILT(unbuilt_play_sound_internal, "play-sound-internal", 1, 1, NEOVM_VALUES_1)

// Bidirectional display
NEOVM_UNBUILT(unbuilt_bidi_find_overridden_directionality, "bidi-find-overridden-directionality", 2, 3, NEOVM_VALUES_3)
NEOVM_UNBUILT(unbuilt_move_point_visually, "move-point-visually", 1, 1, NEOVM_VALUES_1)

// Colours
NEOVM_UNBUILT(unbuilt_x_load_color_file, "x-load-color-file", 1, 1, NEOVM_VALUES_1)

}  // namespace neomacs::host
