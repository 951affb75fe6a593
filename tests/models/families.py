"""Small image encoders of random weights, one a family of models that people have: name, constructor, side of the image."""

from functools import partial

import torch
from torch import nn


def open_clip_vit(act="gelu", **changes):
    """OpenAI's and LAION's ViT; CoCa's with an attentional pooler; EVA-CLIP's neighbours without pre-norm."""
    from open_clip.transformer import QuickGELU, VisionTransformer

    sizes = dict(image_size=16, patch_size=8, width=24, layers=2, heads=2, mlp_ratio=2.0, output_dim=8)
    return VisionTransformer(**{**sizes, "act_layer": QuickGELU if act == "quick" else nn.GELU, **changes})


class First(nn.Module):
    """The first of several outputs."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        return self.model(image)[0]


def coca():
    return First(open_clip_vit(attentional_pool=True, attn_pooler_queries=5, attn_pooler_heads=2, output_tokens=True))


def resnet():
    from open_clip.modified_resnet import ModifiedResNet

    return ModifiedResNet(layers=(1, 1, 1, 1), output_dim=8, heads=4, image_size=64, width=3)


class Named(nn.Module):
    """A transformers model reduced to one of its outputs."""

    def __init__(self, model, output):
        super().__init__()
        self.model, self.output = model, output

    def forward(self, image):
        return getattr(self.model(pixel_values=image), self.output)


SMALL = dict(
    hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=8
)


def transformers_clip(attention="eager", **changes):
    """OpenAI's CLIP, TinyCLIP, FARE, MetaCLIP: all are `CLIPVisionModelWithProjection`."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(**{**SMALL, "projection_dim": 8, **changes})
    config._attn_implementation = attention
    return Named(CLIPVisionModelWithProjection(config), "image_embeds")


def transformers_siglip(attention="eager"):
    """SigLIP, and SigLIP 2 of fixed resolution, which is the same network."""
    from transformers import SiglipVisionConfig, SiglipVisionModel

    config = SiglipVisionConfig(**SMALL)
    config._attn_implementation = attention
    return Named(SiglipVisionModel(config), "pooler_output")


class Siglip2(nn.Module):
    """SigLIP 2 NaFlex at a resolution of its own: pictures are cut into patches in front, positions resized inside."""

    def __init__(self):
        super().__init__()
        from transformers import Siglip2VisionConfig, Siglip2VisionModel

        config = Siglip2VisionConfig(
            hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, patch_size=8,
            num_patches=9,
        )
        config._attn_implementation = "eager"
        self.model = Siglip2VisionModel(config)

    def forward(self, image):
        n, side = image.shape[0], 16
        cells = side // 8
        patches = image.reshape(n, 3, cells, 8, cells, 8).permute(0, 2, 4, 3, 5, 1).reshape(n, cells * cells, 192)
        mask = torch.ones(n, cells * cells, dtype=torch.long)
        shapes = torch.full((n, 2), cells, dtype=torch.long)
        return self.model(pixel_values=patches, pixel_attention_mask=mask, spatial_shapes=shapes).pooler_output


def timm_siglip():
    """SigLIP and SigLIP 2 as OpenCLIP has them: map pooling, no class token."""
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        img_size=16, patch_size=8, embed_dim=24, depth=2, num_heads=2, mlp_ratio=2.0, class_token=False,
        global_pool="map", num_classes=0, act_layer="gelu_tanh",
    )


def eva02():
    """EVA02-B: rotary positions, SwiGLU, normalisations inside attention and MLP."""
    from timm.models.eva import Eva

    return Eva(
        img_size=16, patch_size=8, embed_dim=24, depth=2, num_heads=2, qkv_fused=False, mlp_ratio=4 * 2 / 3,
        swiglu_mlp=True, scale_mlp=True, scale_attn_inner=True, use_rot_pos_emb=True, ref_feat_shape=(2, 2),
        global_pool="token", num_classes=8,
    )


def eva02_fused():
    """EVA02-L: queries, keys and values of one product."""
    from timm.models.eva import Eva

    return Eva(
        img_size=16, patch_size=8, embed_dim=24, depth=2, num_heads=2, mlp_ratio=4 * 2 / 3, qkv_fused=False,
        swiglu_mlp=True, scale_mlp=True, use_rot_pos_emb=True, ref_feat_shape=(2, 2), global_pool="avg", num_classes=8,
        init_values=0.5,
    )


def pe_core():
    """Meta's Perception Encoder."""
    from timm.models.eva import Eva

    return Eva(
        img_size=16, patch_size=8, embed_dim=24, depth=2, num_heads=2, mlp_ratio=2.0, global_pool="map",
        attn_type="rope", use_pre_transformer_norm=True, use_rot_pos_emb=True, ref_feat_shape=(2, 2),
        rope_grid_offset=1.0, rope_grid_indexing="xy", attn_pool_num_heads=2, attn_pool_mlp_ratio=2.0,
        norm_layer=partial(nn.LayerNorm, eps=1e-5), num_classes=8,
    )


def convnext():
    """OpenCLIP's ConvNeXt: layer scale, channels last inside the blocks, a linear projection."""
    from timm.models.convnext import ConvNeXt

    trunk = ConvNeXt(depths=(1, 1, 2, 1), dims=(8, 12, 16, 20), num_classes=0, ls_init_value=0.5)
    return nn.Sequential(trunk, nn.Dropout(0.0), nn.Linear(20, 8, bias=False))


def convnext_wide():
    """The further forms: a multi-layer projection, depthwise kernels over all, no layer scale."""
    from timm.models.convnext import ConvNeXt

    return ConvNeXt(
        depths=(1, 1, 1, 1), dims=(8, 8, 8, 12), num_classes=8, ls_init_value=None, conv_mlp=True, head_hidden_size=12
    )


def fastvit(**changes):
    from timm.models.fastvit import FastVit, RepConditionalPosEnc

    sizes = dict(
        layers=(1, 1, 1, 1), embed_dims=(8, 8, 16, 32), mlp_ratios=(2, 2, 2, 2), se_downsamples=(False, False, True, True),
        pos_embs=(None, None, None, partial(RepConditionalPosEnc, spatial_shape=(3, 3))),
        token_mixers=("repmixer", "repmixer", "repmixer", "attention"), lkc_use_act=True, num_classes=8,
    )
    return FastVit(**{**sizes, **changes})


def mobileclip():
    """MobileCLIP-S1 and S2 as trained, with all their branches."""
    return fastvit(inference_mode=False)


def mobileclip_folded():
    """The same with branches merged into one convolution each, as published for use."""
    from timm.utils.model import reparameterize_model

    return reparameterize_model(fastvit(inference_mode=False).eval())


def mobileclip2():
    """MobileCLIP2-S3 and S4: five stages, layer normalisation over channels."""
    from timm.layers import LayerNorm2d
    from timm.models.fastvit import RepConditionalPosEnc

    position = partial(RepConditionalPosEnc, spatial_shape=(3, 3))
    return fastvit(
        layers=(1, 1, 1, 1, 1), embed_dims=(8, 8, 8, 32, 32), mlp_ratios=(2,) * 5, se_downsamples=(False,) * 5,
        downsamples=(False, True, True, True, True), pos_embs=(None, None, None, position, position),
        token_mixers=("repmixer", "repmixer", "repmixer", "attention", "attention"),
        norm_layer=partial(LayerNorm2d, eps=1e-5), stem_use_scale_branch=False,
    )


def mobileclip_b():
    """MobileCLIP-B: a vision transformer behind three convolutions."""
    from timm.models.vision_transformer import VisionTransformer
    from timm.models.vision_transformer_hybrid import ConvStem, HybridEmbed

    stem = ConvStem(channels=(6, 6, 24), stride=(4, 2, 2), kernel_size=(4, 2, 2), padding=0, in_chans=3, act_layer=nn.GELU)
    return VisionTransformer(
        img_size=32, embed_layer=partial(HybridEmbed, backbone=stem, proj=False), patch_size=1, embed_dim=24, depth=2, num_heads=2,
        mlp_ratio=2.0, no_embed_class=True, num_classes=8,
    )


def vitamin():
    """ViTamin: inverted bottlenecks in front of a transformer of gated MLPs."""
    from timm.layers import HybridEmbed
    from timm.models.vitamin import GeGluMlp, MbConvStages, VitCfg, VitConvCfg
    from timm.models.vision_transformer import VisionTransformer

    config = VitCfg(
        embed_dim=(8, 12, 24), depths=(1, 1, 1), stem_width=8,
        conv_cfg=VitConvCfg(norm_layer="layernorm2d", norm_eps=1e-6), head_type="1d",
    )
    stem = MbConvStages(cfg=config)
    return VisionTransformer(
        img_size=32, embed_layer=partial(HybridEmbed, backbone=stem, proj=False), patch_size=1, embed_dim=24, depth=2,
        num_heads=2, mlp_ratio=2.0, class_token=False, global_pool="avg", num_classes=8, mlp_layer=GeGluMlp, fc_norm=False,
    )


def swin():
    from timm.models.swin_transformer import SwinTransformer

    return SwinTransformer(
        img_size=32, patch_size=4, window_size=2, embed_dim=8, depths=(2, 2), num_heads=(2, 2), num_classes=8
    )


FAMILIES = {
    "vit-quickgelu": (partial(open_clip_vit, "quick"), 16),
    "vit-gelu": (partial(open_clip_vit, width=16), 16),
    "vit-average": (partial(open_clip_vit, no_ln_pre=True, pool_type="avg", ls_init_value=0.5), 16),
    "resnet": (resnet, 64),
    "transformers": (transformers_clip, 16),
    "transformers-sdpa": (partial(transformers_clip, "sdpa", hidden_act="gelu"), 16),
    "siglip": (transformers_siglip, 16),
    "siglip-sdpa": (partial(transformers_siglip, "sdpa"), 16),
    "siglip2-naflex": (Siglip2, 16),
    "siglip-timm": (timm_siglip, 16),
    "eva02": (eva02, 16),
    "eva02-fused": (eva02_fused, 16),
    "pe-core": (pe_core, 16),
    "convnext": (convnext, 32),
    "convnext-wide": (convnext_wide, 32),
    "mobileclip": (mobileclip, 64),
    "mobileclip-folded": (mobileclip_folded, 32),
    "mobileclip2": (mobileclip2, 64),
    "mobileclip-b": (mobileclip_b, 32),
    "coca": (coca, 16),
    "vitamin": (vitamin, 32),
    "swin": (swin, 32),
}
