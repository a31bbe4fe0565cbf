using System.Buffers.Binary;
using System.Text;
using Supervisor.Core.Listeners;
using Supervisor.Core.Listeners.Options;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>setsockopt and getsockopt for a row of options, by its value's shape.</summary>
public static class OptionAccess
{
    /// <summary>Sets the option.</summary>
    public static SystemCallError? Set(DescriptorHandle socket, SocketOption option, OptionValue value)
    {
        switch (option.Shape)
        {
            case OptionShape.Flag or OptionShape.Number:
                return Sockets.SetInt32(socket, option.Level, option.Number, unchecked((int)value.Number!.Value));
            case OptionShape.Name:
                return Sockets.SetBytes(socket, option.Level, option.Number, Encoding.UTF8.GetBytes(value.Text + "\0"));
            case OptionShape.Bytes:
                return Sockets.SetBytes(
                    socket, option.Level, option.Number, Convert.FromHexString(value.Text.AsSpan(CustomOption.BytesPrefix.Length)));
            case OptionShape.Linger:
                Span<byte> linger = stackalloc byte[8];
                BinaryPrimitives.WriteInt32LittleEndian(linger, value.Number is null ? 0 : 1);
                BinaryPrimitives.WriteInt32LittleEndian(linger[4..], (int)(value.Number ?? 0));
                return Sockets.SetBytes(socket, option.Level, option.Number, linger);
            default:
                throw new ArgumentOutOfRangeException(nameof(option), option.Shape, null);
        }
    }

    /// <summary>Reads the option; null if the kernel does not report it.</summary>
    public static OptionValue? Get(DescriptorHandle socket, SocketOption option)
    {
        switch (option.Shape)
        {
            case OptionShape.Flag or OptionShape.Number:
                return Sockets.GetInt32(socket, option.Level, option.ReadNumber, out var number) is null
                    ? OptionValue.Of(option == SocketOptions.Mark ? (uint)number : number)
                    : null;
            case OptionShape.Name:
                return Sockets.GetName(socket, option.Level, option.ReadNumber, out var text) is null ? OptionValue.Of(text) : null;
            case OptionShape.Bytes:
                Span<byte> bytes = stackalloc byte[CustomOption.MostBytes];
                return Sockets.GetBytes(socket, option.Level, option.ReadNumber, bytes, out var length) is null
                    ? OptionValue.Of(CustomOption.BytesPrefix + Convert.ToHexStringLower(bytes[..Math.Min((int)length, bytes.Length)]))
                    : null;
            case OptionShape.Linger:
                Span<byte> linger = stackalloc byte[8];
                return Sockets.GetBytes(socket, option.Level, option.ReadNumber, linger, out _) is null
                    ? BinaryPrimitives.ReadInt32LittleEndian(linger) == 0
                        ? OptionValue.Of("off")
                        : OptionValue.Of(BinaryPrimitives.ReadInt32LittleEndian(linger[4..]))
                    : null;
            default:
                throw new ArgumentOutOfRangeException(nameof(option), option.Shape, null);
        }
    }
}
