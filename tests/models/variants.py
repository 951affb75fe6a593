"""Writes what becomes of exports on their way to a user: optimised, slimmed, in 16 bits, quantised.

    python tests/models/variants.py FOLDER OUT

FOLDER holds exports with their references (generate.py --all); OUT gets the variants, to be checked in the same way. Needs
onnx, onnxruntime, onnxslim, onnxsim, onnxconverter-common.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

FORMS = ["ts11", "ts13", "ts14", "ts17", "dy18", "dy20", "ts14-f16", "dy18-f16"]
# Weights of small models in 4 and 8 bits are far from those in 32.
EXACT, HALF, COARSE = 1e-4, 2e-2, 5.0


def slim(path, out, _):
    import onnxslim

    onnx.save(onnxslim.slim(onnx.load(path)), out)


def simplified(path, out, _):
    import onnxsim

    onnx.save(onnxsim.simplify(onnx.load(path))[0], out)


def optimised(level):
    def write(path, out, _):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        options.optimized_model_filepath = str(out)
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    return write


def transformers_optimiser(kind, half=False):
    """As optimum does with -O2, -O3 and -O4."""

    def write(path, out, _):
        from onnxruntime.transformers import optimizer
        from onnxruntime.transformers.fusion_options import FusionOptions

        options = FusionOptions(kind)
        model = optimizer.optimize_model(str(path), kind, 2, 24, optimization_options=options, opt_level=0)
        if half:
            model.convert_float_to_float16(keep_io_types=True)
        model.save_model_to_file(str(out))

    return write


def half(keep):
    def write(path, out, _):
        from onnxconverter_common import float16

        onnx.save(float16.convert_float_to_float16(onnx.load(path), keep_io_types=keep), out)

    return write


def dynamic(kind):
    def write(path, out, _):
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(path, out, weight_type=getattr(QuantType, kind), per_channel=kind == "QInt8")

    return write


def static(form):
    def write(path, out, image):
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process

        class Reader(CalibrationDataReader):
            def __init__(self):
                name = onnx.load(path).graph.input[0].name
                self.pictures = iter([{name: image}])

            def get_next(self):
                return next(self.pictures, None)

        with tempfile.TemporaryDirectory() as folder:
            ready = Path(folder) / "ready.onnx"
            quant_pre_process(path, ready, skip_symbolic_shape=True)
            quantize_static(ready, out, Reader(), quant_format=getattr(QuantFormat, form), per_channel=True)

    return write


def four_bits(path, out, _):
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(onnx.load(path), block_size=16, is_symmetric=False)
    quantizer.process()
    quantizer.model.save_model_to_file(str(out))


def external(path, out, _):
    onnx.save(onnx.load(path), out, save_as_external_data=True, location=out.name + "_data", size_threshold=256)


LEVELS = onnxruntime.GraphOptimizationLevel
VARIANTS = {
    "slim": (slim, EXACT),
    "sim": (simplified, EXACT),
    "basic": (optimised(LEVELS.ORT_ENABLE_BASIC), EXACT),
    "extended": (optimised(LEVELS.ORT_ENABLE_EXTENDED), EXACT),
    "clip": (transformers_optimiser("clip"), EXACT),
    "vit": (transformers_optimiser("vit"), EXACT),
    "bert": (transformers_optimiser("bert"), EXACT),
    "clip16": (transformers_optimiser("clip", half=True), HALF),
    "vit16": (transformers_optimiser("vit", half=True), HALF),
    "half": (half(False), HALF),
    "half32": (half(True), HALF),
    "external": (external, EXACT),
    "int8": (dynamic("QInt8"), COARSE),
    "uint8": (dynamic("QUInt8"), COARSE),
    "qdq": (static("QDQ"), COARSE),
    "qoperator": (static("QOperator"), COARSE),
    "q4": (four_bits, COARSE),
}


def main():
    folder, out = map(Path, sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    only = sys.argv[3:]
    entries, failed = [], []
    for entry in json.loads((folder / "models.json").read_text()):
        stem = entry["file"].removesuffix(".onnx")
        if not any(stem.endswith("-" + form) for form in FORMS) or (only and not any(o in stem for o in only)):
            continue
        values = np.fromfile(folder / entry["reference"], "<f4")
        image = values[: 6 * entry["side"] ** 2].reshape(2, 3, entry["side"], entry["side"])
        shutil.copy(folder / entry["reference"], out)
        for name, (write, tolerance) in VARIANTS.items():
            if stem.endswith("f16") and name not in ("slim", "basic", "extended"):
                continue
            file = f"{stem}-{name}.onnx"
            try:
                write(folder / entry["file"], out / file, image)
            except Exception as error:  # noqa: BLE001: what a tool cannot do is listed
                failed.append(f"{file}: {type(error).__name__} {' '.join(str(error).split())[:160]}")
                continue
            tolerance = max(tolerance, entry["tolerance"])
            entries.append(dict(entry, file=file, tolerance=tolerance))
    (out / "models.json").write_text(json.dumps(entries))
    print(len(entries), "written; not:", *failed, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
