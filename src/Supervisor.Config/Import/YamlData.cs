using System.Globalization;
using Supervisor.Config.Diagnostics;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Supervisor.Config.Import;

/// <summary>Reads the first document of a YAML file. Aliases and merge keys (&lt;&lt;) are resolved.</summary>
internal sealed class YamlData
{
    private const int MaxDepth = 64;
    private const int MaxNodes = 100_000;

    private readonly string _file;
    private readonly Parser _parser;
    private readonly Dictionary<string, DataNode> _anchors = new(StringComparer.Ordinal);
    private int _nodes;

    private YamlData(ConfigSource source) => (_file, _parser) = (source.Path, new Parser(new StringReader(source.Text)));

    public static DataNode Read(ConfigSource source)
    {
        var reader = new YamlData(source);
        try
        {
            reader._parser.Consume<StreamStart>();
            return reader._parser.TryConsume<DocumentStart>(out _) ? reader.Node(0) : new DataNode(1, null);
        }
        catch (YamlException error)
        {
            throw new ImportException(source.Path, (int)error.Start.Line, $"it is not YAML: {error.Message}");
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException)
        {
            // YamlDotNet's scanner, for a mapping that ends in the middle of a name, and its parser, for a tag that is no URI.
            throw new ImportException(source.Path, (int)(reader._parser.Current?.Start.Line ?? 1), "it is not YAML");
        }
    }

    private DataNode Node(int depth)
    {
        var line = (int)_parser.Current!.Start.Line;
        Count(1, depth, line);

        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            return _anchors.TryGetValue(alias.Value.Value, out var known)
                ? known
                : throw new ImportException(_file, line, $"the alias *{alias.Value.Value} has no anchor");
        }

        var anchor = (_parser.Current as NodeEvent)?.Anchor ?? AnchorName.Empty;
        var node = new DataNode(line, Value(depth));
        if (!anchor.IsEmpty)
        {
            _anchors[anchor.Value] = node;
        }

        return node;
    }

    private void Count(int nodes, int depth, int line)
    {
        _nodes += nodes;
        if (depth > MaxDepth || _nodes > MaxNodes)
        {
            throw new ImportException(_file, line, $"it has more than {MaxDepth} levels or {MaxNodes} values");
        }
    }

    private object? Value(int depth)
    {
        if (_parser.TryConsume<Scalar>(out var scalar))
        {
            if (scalar.Value.Contains('\0'))
            {
                throw new ImportException(
                    _file, (int)scalar.Start.Line, "it has a NUL character in a text: no program can be given that");
            }

            return scalar.IsQuotedImplicit || scalar.Style is not ScalarStyle.Plain ? scalar.Value : Plain(scalar.Value);
        }

        if (_parser.TryConsume<SequenceStart>(out _))
        {
            var items = new List<DataNode>();
            while (!_parser.TryConsume<SequenceEnd>(out _))
            {
                items.Add(Node(depth + 1));
            }

            return items;
        }

        _parser.Consume<MappingStart>();
        return Members(depth);
    }

    private DataMap Members(int depth)
    {
        var (own, merged) = (new DataMap(), new DataMap());
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var name = Node(depth + 1);
            var value = Node(depth + 1);
            if (name.Text == "<<")
            {
                foreach (var other in value.Items ?? [value])
                {
                    Count(other.Members?.Count ?? 0, depth, name.Line);
                    merged.SetAll(other.Members);
                }
            }
            else
            {
                own.Set(name.Text ?? name.Display, value with { Line = name.Line });
            }
        }

        merged.SetAll(own);
        return merged;
    }

    /// <summary>A plain scalar by the core schema of YAML 1.2.</summary>
    private static object? Plain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ when (char.IsAsciiDigit(text[^1]) || text[^1] == '.')
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => text,
    };
}
