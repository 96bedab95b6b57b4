"""Media: an image or video for welcomes, stored where web and worker both reach it."""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Moment


class Media(Base):
    """One upload. `code` begins with its kind: `img_` or `vid_`."""

    __tablename__ = "media"
    __table_args__ = (
        Index("uq_media_code", "code", unique=True),
        Index("uq_media_account_id_digest", "account_id", "digest", unique=True),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    code: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(32))
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256, for what is uploaded twice
    created: Mapped[Moment]


class MediaPart(Base):
    """One megabyte of a media, so that no statement has to carry fifty."""

    __tablename__ = "media_part"

    media_id: Mapped[int] = mapped_column(ForeignKey("media.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class MediaFile(Base):
    """The `file_id` of a media at Telegram, valid for one bot only."""

    __tablename__ = "media_file"

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    media: Mapped[str] = mapped_column(String(64), primary_key=True)
    file_id: Mapped[str] = mapped_column(String(256))
