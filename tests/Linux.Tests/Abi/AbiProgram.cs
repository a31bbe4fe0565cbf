using System.Globalization;
using System.Text;
using Supervisor.Linux.Tests.Kernel;

namespace Supervisor.Linux.Tests.Abi;

/// <summary>A C program of static assertions. It is compiled and never run.</summary>
internal sealed class AbiProgram
{
    private readonly StringBuilder _text = new();

    public AbiProgram(params ReadOnlySpan<string> headers)
    {
        _text.AppendLine("#define _GNU_SOURCE").AppendLine("#include <stddef.h>");
        foreach (var header in headers)
        {
            _text.AppendLine(CultureInfo.InvariantCulture, $"#include {header}");
        }
    }

    /// <summary>The C expression has the value of the C# constant <paramref name="ours"/>.</summary>
    public void Equal(string expression, long value, string ours) => _text.AppendLine(
        CultureInfo.InvariantCulture, $"_Static_assert((long long)({expression}) == {value}LL, \"{expression} is not {value}, as {ours} "
            + $"has it\");");

    /// <summary>The fields of a C# struct: C name, offset and size here, and the struct's size.</summary>
    public void Layout(string type, long size, params ReadOnlySpan<(string Field, long Offset, long Size)> fields)
    {
        Equal($"sizeof({type})", size, type);
        foreach (var (field, offset, length) in fields)
        {
            Equal($"offsetof({type}, {field})", offset, $"{type}.{field}");
            Equal($"sizeof((({type} *)0)->{field})", length, $"{type}.{field}");
        }
    }

    /// <summary>The compiler's messages; empty if every assertion holds.</summary>
    public string Compile()
    {
        using var directory = new TemporaryDirectory();
        var source = directory["abi.c"];
        File.WriteAllText(source, _text.ToString());
        var (status, output) = Child.Run(
            "/usr/bin/env", "cc", "-std=gnu11", "-fsyntax-only", $"-I{Path.Combine(AppContext.BaseDirectory, "Abi")}", source);
        return status == 0 ? "" : output.Length > 0 ? output : $"cc ended with {status}: the tests need a C compiler (gcc, libc6-dev)";
    }
}
