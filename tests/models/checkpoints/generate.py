"""Writes the small checkpoints of this folder with what PyTorch computes for them.

    python tests/models/checkpoints/generate.py [FOLDER [FULL-SIZE-NAME]]

Needs torch, open_clip_torch, transformers, safetensors, numpy. Run by hand when a checkpoint is to be added; the tests only
read the files. Every folder is as a user would have it: weights and configuration, with `reference.safetensors` besides:
image, embedding, embedding_gradient, image_gradient, and where there is a text encoder ids (as floats) and text_embedding.

With a name of FULL_SIZE, that model is written into FOLDER, with random weights, in its real size; if `onnx` is installed, with
PyTorch's own ONNX export of the image encoder besides. Nothing of that is committed.
"""

import copy
import json
import shutil
import sys
import warnings
from pathlib import Path

import torch
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
HERE = Path(__file__).parent
CONTEXT, VOCABULARY, END = 7, 50, 49
MEAN, DEVIATION = [0.5, 0.4, 0.3], [0.25, 0.5, 0.2]

# The end of the text is the highest id; in the second text it pads as well.
IDS = torch.tensor([[48, 3, 9, 17, END, 0, 0], [48, 5, END, END, END, END, END]])
# The end is 40, and not the highest.
IDS_END_40 = torch.tensor([[48, 3, 49, 17, 40, 0, 40], [48, 40, 49, 0, 0, 0, 0]])


def hugging_face():
    from transformers import CLIPConfig, CLIPModel, CLIPVisionConfig, CLIPVisionModelWithProjection

    vision = dict(hidden_size=16, intermediate_size=40, num_hidden_layers=2, num_attention_heads=2, image_size=12, patch_size=4)
    words = dict(
        hidden_size=12, intermediate_size=24, num_hidden_layers=2, num_attention_heads=3, vocab_size=VOCABULARY,
        max_position_embeddings=CONTEXT,
    )

    def model(vision_more, text_more):
        config = CLIPConfig(vision_config={**vision, **vision_more}, text_config={**words, **text_more}, projection_dim=8)
        return CLIPModel(config)

    yield "hf-quick-gelu", model({}, dict(eos_token_id=2)), IDS, {}
    gelu = dict(hidden_act="gelu", layer_norm_eps=1e-3)
    yield "hf-gelu-end-id", model(gelu, dict(eos_token_id=40, **gelu)), IDS_END_40, {}
    yield "hf-sharded-f16", model({}, dict(eos_token_id=END)), IDS, dict(dtype=torch.float16, shard="16KB", legacy=True)
    config = CLIPVisionConfig(**vision, hidden_act="gelu_new", projection_dim=8)
    yield "hf-vision-bf16", CLIPVisionModelWithProjection(config), None, dict(dtype=torch.bfloat16)


def open_clip():
    from open_clip.model import CLIP, CustomTextCLIP

    def model(kind, vision, words, **more):
        vision = dict(layers=2, width=16, head_width=8, patch_size=4, image_size=12, mlp_ratio=2.5) | vision
        words = dict(context_length=CONTEXT, vocab_size=VOCABULARY, width=12, heads=3, layers=2, mlp_ratio=2.0) | words
        config = dict(embed_dim=8, **more, vision_cfg=vision, text_cfg=words)
        return kind(**copy.deepcopy(config)), config

    yield "oc-gelu", *model(CLIP, {}, {}), IDS, {}
    yield "oc-quick-gelu-bf16", *model(CLIP, {}, {}, quick_gelu=True), IDS, dict(dtype=torch.bfloat16)
    yield "oc-custom-text", *model(
        CustomTextCLIP, dict(ls_init_value=0.1), dict(ls_init_value=0.1, proj_bias=True, pool_type="eos", eos_id=40)
    ), IDS_END_40, {}
    # As CLIPA.
    yield "oc-average", *model(
        CLIP, dict(no_ln_pre=True, pool_type="avg", final_ln_after_pool=True), dict(no_causal_mask=True, pool_type="last")
    ), IDS, {}
    yield "oc-average-normed", *model(
        CustomTextCLIP, dict(pool_type="avg", image_size=[12, 12]), dict(pool_type="first", no_causal_mask=True)
    ), IDS, {}
    tanh = dict(act_kwargs=dict(approximate="tanh"), norm_kwargs=dict(eps=1e-3))
    yield "oc-tanh-f64", *model(CLIP, dict(head_width=4, mlp_ratio=2.7, **tanh), tanh), IDS, dict(dtype=torch.float64)
    clip, config = model(CLIP, {}, {})
    # A bias of the patches, and what was once called global_average_pool: the mean of all tokens, then normalised.
    clip.visual.conv1 = torch.nn.Conv2d(3, 16, 4, 4, bias=True)
    clip.visual.final_ln_after_pool = True
    clip.visual._global_pool = lambda x: (x.mean(dim=1), x)
    config["vision_cfg"]["global_average_pool"] = True
    yield "oc-global-average", clip, config, IDS, {}
    # Heads of 64 values, as a file without configuration is taken to have; names as a wrapper leaves them.
    yield "oc-bare-f16", *model(
        CLIP, dict(width=64, head_width=64, mlp_ratio=1.0, layers=1), dict(width=64, heads=1, mlp_ratio=1.0, layers=1),
        quick_gelu=True,
    ), IDS, dict(dtype=torch.float16, bare=True, wrapper="module.")


def randomise(model):
    """What a fresh network leaves at 0 or 1 would hide mistakes."""
    for name, parameter in model.named_parameters():
        if name.endswith("logit_scale"):
            continue
        if parameter.ndim == 1:
            parameter.data.add_(0.2 + 0.1 * torch.randn_like(parameter))
        elif "embedding" in name and parameter.ndim == 2:
            parameter.data.copy_(torch.randn_like(parameter))
        else:
            parameter.data.mul_(3.0 if parameter.ndim == 4 else 1.5)


def encoders(model):
    """Image and text to embeddings, of the model as its library has it."""
    if hasattr(model, "encode_image"):
        return model.encode_image, model.encode_text
    if hasattr(model, "get_image_features"):
        return (
            lambda image: model.get_image_features(pixel_values=image).pooler_output,
            lambda ids: model.get_text_features(input_ids=ids).pooler_output,
        )
    return lambda image: model(pixel_values=image).image_embeds, None


def reference(model, ids, side, count=2):
    """In 64 bits: what differs is then our rounding alone."""
    model = copy.deepcopy(model).double() if count == 2 else model
    kind = next(model.parameters()).dtype
    see, read = encoders(model)
    image = torch.rand(count, 3, side, side).to(kind).requires_grad_()
    embedding = see(image)
    gradient = torch.randn_like(embedding).float().to(kind)
    embedding.backward(gradient)
    parts = dict(image=image, embedding=embedding, embedding_gradient=gradient, image_gradient=image.grad)
    if ids is not None:
        parts |= dict(ids=ids, text_embedding=read(ids))
    return {name: part.detach().float().contiguous() for name, part in parts.items()}


def write_hugging_face(folder, model, ids, dtype=torch.float32, shard="5GB", legacy=False):
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink(missing_ok=True)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if legacy:
        # As files of 2022 have it: the settings twice, and defaults left out.
        for key in ["text_config", "vision_config"]:
            old = config.pop(key)
            kept = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "image_size",
                    "patch_size", "max_position_embeddings", "eos_token_id"]
            config[f"{key}_dict"] = {k: old[k] for k in kept if k in old}
            config[key] = {"hidden_size": 999}
    path.write_text(json.dumps(config, indent=1) + "\n")


def write_open_clip(folder, model, config, dtype=torch.float32, bare=False, wrapper=""):
    model.to(dtype)
    tensors = {f"{wrapper}{k}": v.contiguous() for k, v in model.state_dict().items()}
    save_file(tensors, folder / "open_clip_model.safetensors")
    preprocess = dict(mean=MEAN, std=DEVIATION, interpolation="bicubic", resize_mode="shortest")
    if not bare:
        text = json.dumps(dict(model_cfg=config, preprocess_cfg=preprocess), indent=1)
        (folder / "open_clip_config.json").write_text(text + "\n")


def small():
    torch.manual_seed(0)
    for index, (name, model, *rest, ids, options) in enumerate([*hugging_face(), *open_clip()]):
        torch.manual_seed(index)
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        model.eval()
        randomise(model)
        if rest:
            write_open_clip(folder, model, *rest, **options)
        else:
            write_hugging_face(folder, model, ids, **options)
        # The weights as rounded for the file.
        save_file(reference(model, ids, 12), folder / "reference.safetensors")
        print(name, sum(f.stat().st_size for f in folder.iterdir()))


FULL_SIZE = ["hf-vit-b-32", "hf-vit-l-14", "oc-ViT-B-32", "oc-ViT-B-32-quickgelu", "oc-ViT-L-14", "oc-ViT-H-14"]


def full_size(folder, name):
    torch.manual_seed(1)
    torch.backends.mha.set_fastpath_enabled(False)
    folder.mkdir(parents=True, exist_ok=True)
    kind, name = name.split("-", 1)
    if kind == "oc":
        import open_clip as library

        model = library.create_model(name).eval()
        config = library.get_model_config(name)
        side, ids = model.visual.image_size[0], torch.randint(1, 49406, (2, 77))
        write_open_clip(folder, model, config)
    else:
        from transformers import CLIPConfig, CLIPModel

        large = dict(
            vision_config=dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14),
            text_config=dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12), projection_dim=768,
        )
        model = CLIPModel(CLIPConfig(**(large if name == "vit-l-14" else {}))).eval()
        side, ids = 224, torch.randint(1, 49406, (2, 77))
        write_hugging_face(folder, model, ids)
    ids[:, 40:] = 49407
    save_file(reference(model, ids, side, 3), folder / "reference.safetensors")
    try:
        import onnx  # noqa: F401
    except ImportError:
        return
    see = encoders(model)[0]

    class Image(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, image):
            return see(image)

    torch.onnx.export(
        Image(), (torch.rand(2, 3, side, side),), folder / "exported.onnx", input_names=["image"],
        output_names=["embedding"], dynamic_axes={"image": {0: "batch"}, "embedding": {0: "batch"}}, opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        full_size(Path(sys.argv[1]), sys.argv[2])
    else:
        small()
