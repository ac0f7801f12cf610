"""Which functions and classes a pickle may name: what is harmful beyond picklescan's own list, and what is known to be harmless."""

from __future__ import annotations

from cardcheck.pattern import Pattern

ARRAYS = "joblib.numpy_pickle.NumpyArrayWrapper"
COMPUTED = "unknown"  # what picklescan writes for a name that is put together while the pickle loads
COMPUTED_SHOWN = "a name that is put together while it loads"

# What torch.load(weights_only=True) takes, and what NumPy and the standard library need to build plain values again.
KNOWN = Pattern(
    r"^(?:(?:builtins|__builtin__)\.(?:set|frozenset|bytearray|complex|list|dict|tuple|int|long|float|bool|str|unicode|bytes|object|slice|range)"
    r"|collections\.(?:OrderedDict|Counter|defaultdict|deque)|_codecs\.encode|(?:copyreg|copy_reg)\.(?:_reconstructor|__newobj__|__newobj_ex__)"
    r"|torch\.(?:cuda\.)?(?:sparse\.)?\w{1,30}(?:Storage|Tensor)"
    r"|torch\.(?:Size|Tensor|device|dtype|b?float\w{1,20}|bits\w{1,9}|u?int\d{1,2}|complex\d{1,3}|bool|qu?int\w{1,9}|per_(?:tensor|channel)_\w{1,40})"
    r"|torch\._utils\._rebuild_\w{1,60}|torch\._tensor\._rebuild_from_type_v2|torch\.nn\.parameter\.Parameter|torch\.serialization\._get_layout"
    r"|torch\.storage\.(?:Typed|Untyped|_Typed)Storage|torch\.jit\._pickle\.\w{1,40}|__torch__\.[\w.]{1,200}"
    r"|numpy\.(?:_core\.|core\.)?(?:multiarray\.(?:_reconstruct|scalar)|numeric\._frombuffer)"
    r"|numpy\.(?:dtype|ndarray|bool_?|u?int\d{1,2}|float\d{1,3}|str_)|numpy\.dtypes\.\w{1,40}|joblib\.numpy_pickle\.NumpyArrayWrapper"
    r"|datetime\.(?:datetime|date|timedelta|timezone)|pathlib\.(?:Pure)?(?:Posix|Windows)?Path|argparse\.Namespace|types\.SimpleNamespace)$"
)
# picklescan's list has gaps: builtins but for those above, modules that reach the system under a harmless name ("transformers.trainer"
# has an `os`), names with a dot, which protocol 4 follows, and libraries that load code or pickles themselves.
REACHING_MODULES = frozenset(
    {"os", "sys", "subprocess", "posix", "nt", "shutil", "socket", "ctypes", "importlib", "builtins", "pickle", "marshal", "runpy", "pty"}
)
REACHING = REACHING_MODULES | frozenset(
    {
        "__builtins__", "__globals__", "__import__", "__code__", "__subclasses__", "__getattribute__", "__loader__", "system", "popen",
        "exec", "eval", "compile", "execfile", "open", "breakpoint", "Popen", "check_output", "check_call", "getoutput", "spawn", "fork",
        "import_module", "exec_module", "load_module", "load_library", "rmtree", "unlink", "urlopen", "urlretrieve",
    }
)  # fmt: skip
DANGEROUS = Pattern(
    r"^(?:importlib|marshal|codeop|code|dill|cloudpickle|multiprocessing|ftplib|smtplib|telnetlib|http|urllib|requests|httpx|aiohttp|paramiko|fabric"
    r"|IPython|pandas\.io\.pickle|torch\.(?:hub|package|utils\.cpp_extension)|types|zipimport|imp|setuptools|distutils|pexpect|sh|win32api|winreg"
    r"|_frozen_importlib\w{0,20}|_imp|_posixsubprocess|builtins|__builtin__)\."
    r"|^(?:torch|numpy|joblib|pandas)\.(?:load|read_pickle|memmap|fromfile)$"
)
# Harmless where they rebuild an enumeration's member, as older Pythons' training arguments do; not beside one another.
DOUBTFUL = Pattern(
    r"^(?:(?:builtins|__builtin__)\.getattr|functools\.partial|_?operator\.(?:attrgetter|itemgetter|methodcaller|getitem)|uuid\.UUID)$"
)


def danger(module: str, name: str, verdict: str) -> str:
    """Return `dangerous`, `suspicious` (not known) or `innocuous`; `verdict` is picklescan's own."""
    full = f"{module}.{name}"
    if KNOWN.match(full):
        return "innocuous"
    if DOUBTFUL.match(full):
        return "suspicious"
    if DANGEROUS.match(full) or REACHING & set(name.split(".")) or module.rpartition(".")[2] in REACHING_MODULES:
        return "dangerous"
    if COMPUTED not in (module, name) and COMPUTED in full:  # picklescan takes any name with this word in it for one of its own
        return "suspicious"
    return verdict
